import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { addressGroup } from '../../src/http/address.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { retryLater, unauthorized } from '../../src/http/problem.ts'
import { type AppContext, type Guard, open, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import { adminSessionRoutes } from './admin-session-routes.tsx'
import type { AdminToken } from './admin-token.ts'
import type { Access, AuthService } from './contract.ts'
import { adminPrincipal, challenge } from './guard.ts'
import type { OperatorSessions } from './session.ts'
import { operatorsHome, type SignIn } from './sign-in.tsx'

/** Signing in and out as an operator, and where that is the case. */
export function authRoutes(parts: {
  admin: Guard
  clock: Clock
  changed: AuthService['accessChanged']
  token: AdminToken
  sessions: OperatorSessions
  cookie: SessionCookie
  failures: RateLimit
  signInPage: SignIn['page']
  /** Signs the browser in, as an operator or with the admin token (null). */
  begin: SignIn['begin']
  /** What the session of a browser allows; null without one. */
  visitor(c: AppContext): Access | null
  operatorName(id: string): string | null
  /** Whether owners can sign in. */
  ownersSignIn: boolean
  /** The owner's first page; null for a browser that is not signed in as an owner. */
  ownersHome(c: AppContext): string | null
}): Route[] {
  const { token, sessions, cookie, failures, ownersSignIn, ownersHome, visitor, begin } = parts
  const page = parts.signInPage

  return [
    ...adminSessionRoutes(parts),
    route({
      method: 'get',
      path: '/',
      summary: 'Redirect to the first page',
      guard: open,
      pageOnly: true,
      answers: { 303: { description: 'To the first page for this browser' } },
      handle: c => {
        const isOperator = visitor(c) !== null
        return c.redirect(ownersHome(c) ?? (ownersSignIn && !isOperator ? '/sign-in' : operatorsHome), 303)
      },
    }),
    route({
      method: 'get',
      path: '/login',
      summary: 'The sign-in page for operators',
      guard: open,
      pageOnly: true,
      query: z.object({ next: z.string().optional(), again: z.string().optional() }),
      answers: { 200: { description: 'The page' } },
      handle: (c, { query: { next, again } }) => page(c, { next, again: again !== undefined }),
    }),
    route({
      method: 'post',
      path: '/login',
      summary: 'Sign in with the admin token; sets a session cookie',
      audit: 'refusals',
      guard: open,
      body: z.object({
        token: z.string('must be the admin token').trim().min(1, 'must be the admin token'),
        next: z.string().optional(),
      }),
      answers: {
        204: { description: 'Signed in: the cookie is set' },
        303: { description: 'Signed in, for a browser' },
      },
      onInvalid: (c, _, { next }) => {
        c.status(422)
        return page(c, {
          next: typeof next === 'string' ? next : undefined,
          tokenError: 'Enter the admin token.',
        })
      },
      handle: (c, { body }) => {
        const group = addressGroup(c.get('client'))
        // The right token always works: it is too long to guess, and a neighbour's failures must not lock it out.
        if (!token.matches(body.token)) {
          const wait = failures.retryAfter(group)
          if (wait > 0) throw retryLater(wait)
          failures.fail(group)
          if (!wantsPage(c)) throw unauthorized('This is not the admin token.', { headers: challenge })
          c.status(401)
          return page(c, { next: body.next, tokenError: 'This is not the admin token.' })
        }
        failures.clear(group)
        c.set('principal', adminPrincipal)
        begin(c, null)
        return wantsPage(c) ? c.redirect(localPath(body.next, operatorsHome), 303) : c.body(null, 204)
      },
    }),
    route({
      method: 'post',
      path: '/logout',
      summary: 'Sign out as an operator',
      guard: open,
      answers: { 204: { description: 'Signed out' }, 303: { description: 'Signed out, for a browser' } },
      handle: c => {
        const access = visitor(c)
        if (access) c.set('principal', access.principal)
        else c.set('about', null)
        const secret = cookie.read(c)
        if (secret) sessions.end(secret)
        cookie.clear(c)
        return wantsPage(c) ? c.redirect('/login', 303) : c.body(null, 204)
      },
    }),
  ]
}
