import type { Route } from '../../../src/http/route.ts'
import { appRoutes } from './app-routes.tsx'
import { passkeyRoutes } from './passkey-routes.ts'
import { type MeParts, selfOf } from './self.tsx'
import { signInRoutes } from './sign-in-routes.tsx'

/** An operator's own sign-in: password, app, passkeys, recovery codes, sessions. */
export function meRoutes(parts: MeParts): Route[] {
  const self = selfOf(parts)
  return [...signInRoutes(parts, self), ...appRoutes(parts, self), ...passkeyRoutes(parts, self)]
}
