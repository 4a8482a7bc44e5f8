import type { Clock } from '../../src/clock.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import type { Db } from '../../src/storage/database.ts'
import type { AdminToken } from './admin-token.ts'
import type { Access, AuthService } from './contract.ts'
import { operatorAccess } from './guard.ts'
import type { sessions as table } from './schema.ts'
import { operatorSessionService, operatorSessions } from './session.ts'
import { operatorSignIn } from './sign-in.tsx'

/** How operators get in: their guard, their sessions, and their sign-in page. */
export function createOperatorAccess(parts: {
  db: Db<{ sessions: typeof table }>
  clock: Clock
  token: AdminToken
  cookie: SessionCookie
  ownersSignIn: boolean
  /** The name of the provider, if operators can sign in with it; else null. */
  provider: string | null
  changed: AuthService['accessChanged']
  hasOperators(): boolean
  apiToken(secret: string, address: string): Access | null
  operator(id: string): Access | null
}) {
  const { db, clock, token, cookie, changed, operator } = parts
  const failures = createRateLimit({ failures: 10, withinMs: 10 * 60_000, clock })
  const sessions = operatorSessions(db, clock, token.hash)
  const access = operatorAccess({ ...parts, sessions, failures })
  const signIn = operatorSignIn({ ...parts, sessions })
  return {
    sessions,
    begin: signIn.begin,
    /** What the routes of signing in and out need. */
    routeParts: {
      ...{ token, cookie, clock, failures, sessions, changed },
      ...{ admin: access.guard, visitor: access.visitor, signInPage: signIn.page, begin: signIn.begin },
      operatorName: (id: string) => operator(id)?.principal.name ?? null,
    },
    service: {
      admin: access.guard,
      requireRole: access.requireRole,
      requireFresh: access.requireFresh,
      isOperator: c => {
        const found = access.visitor(c)
        // The page of a problem has no guard, and shows only what the role allows all the same.
        if (found) c.set('granted', found.role)
        return found !== null
      },
      operatorSessions: operatorSessionService({ sessions, cookie }, signIn, changed),
      signInPage: signIn.page,
      operatorsProvider: parts.provider,
      accessChanged: changed,
    } satisfies Partial<AuthService>,
  }
}
