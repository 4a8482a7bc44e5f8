import type { Route } from '../../../src/http/route.ts'
import { appRoutes } from './app-routes.tsx'
import { passkeyRoutes } from './passkey-routes.ts'
import { profileRoutes } from './profile-routes.tsx'
import { type MeParts, selfOf } from './self.tsx'
import { signInRoutes } from './sign-in-routes.tsx'

/** An operator's own name, address and sign-in: password, provider, app, passkeys, recovery codes, sessions. */
export function meRoutes(parts: MeParts): Route[] {
  const self = selfOf(parts)
  return [signInRoutes, profileRoutes, appRoutes, passkeyRoutes].flatMap(routes => routes(parts, self))
}
