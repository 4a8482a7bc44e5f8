import type { Principal } from '../../src/acting.ts'
import { addressGroup } from '../../src/http/address.ts'
import { bearerToken } from '../../src/http/bearer.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { retryLater, unauthorized } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Role, roles } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import type { AdminToken } from './admin-token.ts'
import type { Access, AuthService } from './contract.ts'
import { outOfScope, roleNeeded } from './problems.ts'
import type { AdminSessions } from './session.ts'

/** The operator who has the admin token. */
export const adminPrincipal: Principal = { kind: 'operator', id: 'admin-token', name: 'admin token' }

/** The header of every 401. */
export const challenge = { 'WWW-Authenticate': 'Bearer realm="longhouse"' }

/**
 * Lets operators and their tokens in, each as far as the role allows. Wrong tokens are rate limited per address. A right token
 * always works: it is too long to guess, and a neighbour's failures must not lock out the operator's scripts.
 */
export function operatorAccess(parts: {
  token: AdminToken
  sessions: AdminSessions
  cookie: SessionCookie
  failures: RateLimit
  /** What an API token may do; null when there is no such token. */
  apiToken(secret: string, address: string): Access | null
}): { guard: Guard; requireRole: AuthService['requireRole'] } {
  const { token, sessions, cookie, failures } = parts
  const entered = new WeakMap<AppContext, Access>()

  const byBearer = (c: AppContext, secret: string): Access => {
    if (token.matches(secret))
      return { principal: { ...adminPrincipal, kind: 'token' }, role: 'own', instances: null }
    const access = parts.apiToken(secret, c.get('client'))
    if (access) return access
    const group = addressGroup(c.get('client'))
    const wait = failures.retryAfter(group)
    if (wait > 0) throw retryLater(wait)
    failures.fail(group)
    throw unauthorized('The bearer token is neither the admin token nor an API token that is valid.', {
      headers: challenge,
    })
  }
  const bySession = (c: AppContext): Access | null => {
    const secret = cookie.read(c)
    if (secret === undefined || !sessions.isLive(secret)) return null
    c.header('Cache-Control', 'no-store')
    return { principal: adminPrincipal, role: 'own', instances: null }
  }

  return {
    requireRole: (c, role, { beyondInstances = false } = {}) => {
      const access = entered.get(c)
      if (!access) throw new Error('the route has no operator guard')
      refuseLesser(access, role)
      if (beyondInstances) refuseScoped(access)
    },
    guard: {
      schemes: ['bearer', 'session'],
      check: async (c, next) => {
        const bearer = bearerToken(c.req.header('authorization'))
        const access = bearer === undefined ? bySession(c) : byBearer(c, bearer)
        if (!access) return refuse(c)
        c.set('principal', access.principal)
        entered.set(c, access)
        // A route that does not say what it needs is for those who may do everything.
        refuseLesser(access, c.get('role') ?? 'own')
        const subdomain = c.req.param('subdomain')
        if (subdomain === undefined || !access.instances?.includes(subdomain)) refuseScoped(access)
        return next()
      },
    },
  }
}

function refuseLesser({ principal, role }: Access, needed: Role): void {
  if (roles.indexOf(role) >= roles.indexOf(needed)) return
  throw roleNeeded(
    `This needs the role "${needed}"; “${principal.name}” has the role "${role}". Nothing was changed.`,
  )
}

function refuseScoped({ principal, instances }: Access): void {
  if (instances === null) return
  throw outOfScope(
    `The token “${principal.name}” is only for ${instances.join(', ')}. Use a token without such a limit. Nothing was changed.`,
  )
}

/** Answers a request without a session or a token. */
function refuse(c: AppContext): Response {
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
  throw unauthorized('Send the admin token or an API token as "Authorization: Bearer <token>".', {
    headers: challenge,
  })
}
