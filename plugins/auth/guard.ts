import type { Principal } from '../../src/acting.ts'
import type { Clock } from '../../src/clock.ts'
import { addressGroup } from '../../src/http/address.ts'
import { bearerToken } from '../../src/http/bearer.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { retryLater, unauthorized } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Role, roles } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import type { AdminToken } from './admin-token.ts'
import type { Access, AuthService } from './contract.ts'
import { outOfScope, roleNeeded, signInAgain } from './problems.ts'
import type { OperatorSessions } from './session.ts'

/** The operator who has the admin token. */
export const adminPrincipal: Principal = { kind: 'operator', id: 'admin-token', name: 'admin token' }

/** The header of every 401. */
export const challenge = { 'WWW-Authenticate': 'Bearer realm="longhouse"' }

/** How long after a sign-in a browser may do what has grave consequences. */
const freshMs = 10 * 60_000

interface Entry {
  access: Access
  /** When the browser signed in; null for a bearer token, which is sent with each request. */
  signedInAt: number | null
}

/**
 * Lets operators and their tokens in, each as far as the role allows. Wrong tokens are rate limited per address. A right token
 * always works: it is too long to guess, and a neighbour's failures must not lock out the operator's scripts.
 */
export function operatorAccess(parts: {
  token: AdminToken
  sessions: OperatorSessions
  cookie: SessionCookie
  failures: RateLimit
  clock: Clock
  /** What an API token may do; null when there is no such token. */
  apiToken(secret: string, address: string): Access | null
  /** What an operator may do; null when they have been removed. */
  operator(id: string): Access | null
}): Pick<AuthService, 'requireRole' | 'requireFresh'> & {
  guard: Guard
  /** What the session of a browser allows; null without one. Works on routes without the guard, too. */
  visitor(c: AppContext): Access | null
} {
  const { token, sessions, cookie, failures, clock } = parts
  const entered = new WeakMap<AppContext, Entry>()

  const byBearer = (c: AppContext, secret: string): Entry => {
    if (token.matches(secret)) {
      const principal = { ...adminPrincipal, kind: 'token' } as const
      return { access: { principal, role: 'own', instances: null }, signedInAt: null }
    }
    const access = parts.apiToken(secret, c.get('client'))
    if (access) return { access, signedInAt: null }
    const group = addressGroup(c.get('client'))
    const wait = failures.retryAfter(group)
    if (wait > 0) throw retryLater(wait)
    failures.fail(group)
    throw unauthorized('The bearer token is neither the admin token nor an API token that is valid.', {
      headers: challenge,
    })
  }
  const bySession = (c: AppContext): Entry | null => {
    const secret = cookie.read(c)
    const session = secret === undefined ? null : sessions.find(secret)
    if (!session) return null
    const access: Access | null =
      session.operatorId === null
        ? { principal: adminPrincipal, role: 'own', instances: null }
        : parts.operator(session.operatorId)
    return access && { access, signedInAt: session.createdAt }
  }
  const isStale = ({ signedInAt }: Entry) => signedInAt !== null && clock.now() >= signedInAt + freshMs
  const entryOf = (c: AppContext): Entry => {
    const entry = entered.get(c)
    if (!entry) throw new Error('the route has no operator guard')
    return entry
  }

  return {
    visitor: c => bySession(c)?.access ?? null,
    requireRole: (c, role, { beyondInstances = false } = {}) => {
      const { access } = entryOf(c)
      refuseLesser(access, role)
      if (beyondInstances) refuseScoped(access)
    },
    requireFresh: c => {
      if (isStale(entryOf(c))) throw signInAgain(stale)
    },
    guard: {
      schemes: ['bearer', 'session'],
      check: async (c, next) => {
        const bearer = bearerToken(c.req.header('authorization'))
        const entry = bearer === undefined ? bySession(c) : byBearer(c, bearer)
        if (!entry) return refuse(c)
        const { access, signedInAt } = entry
        if (signedInAt !== null) c.header('Cache-Control', 'no-store')
        c.set('principal', access.principal)
        c.set('granted', access.role)
        entered.set(c, entry)
        // A route that does not say what it needs is for those who may do everything.
        refuseLesser(access, c.get('role') ?? 'own')
        const subdomain = c.req.param('subdomain')
        if (subdomain === undefined || !access.instances?.includes(subdomain)) refuseScoped(access)
        if (c.get('fresh') && isStale(entry)) return askAgain(c)
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

const stale =
  'This needs a sign-in within the last ten minutes. Nothing was changed. Sign in again, then repeat it.'

/** Answers a browser that signed in too long ago for this: it signs in again, and returns to the page that it was on. */
function askAgain(c: AppContext): Response {
  const referer = c.req.header('referer') ?? ''
  const { pathname, search } = URL.canParse(referer) ? new URL(referer) : { pathname: '/', search: '' }
  const there = `/login?again=1&next=${encodeURIComponent(localPath(pathname + search, '/'))}`
  if (wantsFragment(c)) throw signInAgain(stale, { headers: { 'HX-Redirect': there } })
  if (!wantsPage(c)) throw signInAgain(stale)
  return c.redirect(there, 303)
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
