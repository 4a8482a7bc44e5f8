import type { Principal } from '../../src/acting.ts'
import { addressGroup } from '../../src/http/address.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { retryLater, unauthorized } from '../../src/http/problem.ts'
import type { Guard } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import type { AdminToken } from './admin-token.ts'
import type { AdminSessions } from './session.ts'

/**
 * Lets the operator in. Wrong tokens are rate limited per address. The right token always works: it is too long to guess, and
 * a neighbour's failures must not lock out the operator's scripts.
 */
export function adminGuard(parts: {
  token: AdminToken
  sessions: AdminSessions
  cookie: SessionCookie
  failures: RateLimit
}): Guard {
  const { token, sessions, cookie, failures } = parts
  return {
    schemes: ['bearer', 'session'],
    check: async (c, next) => {
      const bearer = /^Bearer\s+(\S+)\s*$/i.exec(c.req.header('authorization') ?? '')?.[1]
      if (bearer !== undefined) {
        if (!token.matches(bearer)) {
          const group = addressGroup(c.get('client'))
          const wait = failures.retryAfter(group)
          if (wait > 0) throw retryLater(wait)
          failures.fail(group)
          throw unauthorized('The bearer token is not the admin token.', { headers: challenge })
        }
        c.set('principal', { ...adminPrincipal, kind: 'token' })
        return next()
      }
      const secret = cookie.read(c)
      if (secret !== undefined && sessions.isLive(secret)) {
        c.header('Cache-Control', 'no-store')
        c.set('principal', adminPrincipal)
        return next()
      }
      if (wantsFragment(c)) {
        // A redirect would load the sign-in page into a fragment of this one.
        const headers = { ...challenge, 'HX-Redirect': '/login' }
        throw unauthorized('The session has ended. Sign in again.', { headers })
      }
      if (wantsPage(c)) {
        const { pathname, search } = new URL(c.req.url)
        const here = c.req.method === 'GET' ? pathname + search : '/'
        return c.redirect(`/login?next=${encodeURIComponent(here)}`, 303)
      }
      throw unauthorized('Send the admin token as "Authorization: Bearer <token>".', { headers: challenge })
    },
  }
}

/** The operator who has the admin token. */
export const adminPrincipal: Principal = { kind: 'operator', id: 'admin-token', name: 'admin token' }

/** The header of every 401. */
export const challenge = { 'WWW-Authenticate': 'Bearer realm="longhouse"' }
