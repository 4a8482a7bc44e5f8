import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { addressGroup } from '../../src/http/address.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { retryLater, unauthorized } from '../../src/http/problem.ts'
import { type AppContext, type Guard, open, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import { SignInPage } from '../../views/operator/sign-in.tsx'
import { adminSessionRoutes } from './admin-session-routes.tsx'
import type { AdminToken } from './admin-token.ts'
import type { AuthService } from './contract.ts'
import { adminPrincipal, challenge } from './guard.ts'
import { type AdminSessions, longestMs } from './session.ts'

const home = '/admin/overview'

/** Signing in and out as the operator, and where that is the case. */
export function authRoutes(parts: {
  admin: Guard
  clock: Clock
  changed: AuthService['accessChanged']
  token: AdminToken
  sessions: AdminSessions
  cookie: SessionCookie
  failures: RateLimit
  /** Whether owners can sign in. */
  ownersSignIn: boolean
  /** The owner's first page; null for a browser that is not signed in as an owner. */
  ownersHome(c: AppContext): string | null
}): Route[] {
  const { token, sessions, cookie, failures, ownersSignIn, ownersHome } = parts

  const page = (c: AppContext, next: string | undefined, error?: string) =>
    c.render(
      <SignInPage
        next={localPath(next, home)}
        tokenFile={token.file}
        ownersSignIn={ownersSignIn}
        error={error}
      />,
      { title: 'Sign in', narrow: true },
    )

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
        const secret = cookie.read(c)
        const isOperator = secret !== undefined && sessions.isLive(secret)
        return c.redirect(ownersHome(c) ?? (ownersSignIn && !isOperator ? '/sign-in' : home), 303)
      },
    }),
    route({
      method: 'get',
      path: '/login',
      summary: 'The sign-in page for the operator',
      guard: open,
      pageOnly: true,
      query: z.object({ next: z.string().optional() }),
      answers: { 200: { description: 'The page' } },
      handle: (c, { query }) => page(c, query.next),
    }),
    route({
      method: 'post',
      path: '/login',
      summary: 'Sign in as the operator; sets a session cookie',
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
        return page(c, typeof next === 'string' ? next : undefined, 'Enter the admin token.')
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
          return page(c, body.next, 'This is not the admin token.')
        }
        failures.clear(group)
        c.set('principal', adminPrincipal)
        const from = { address: c.get('client'), browser: c.req.header('user-agent') ?? '' }
        cookie.write(c, sessions.begin(from), longestMs / 1000)
        return wantsPage(c) ? c.redirect(localPath(body.next, home), 303) : c.body(null, 204)
      },
    }),
    route({
      method: 'post',
      path: '/logout',
      summary: 'Sign out as the operator',
      guard: open,
      answers: { 204: { description: 'Signed out' }, 303: { description: 'Signed out, for a browser' } },
      handle: c => {
        const secret = cookie.read(c)
        if (secret && sessions.isLive(secret)) c.set('principal', adminPrincipal)
        else c.set('about', null)
        if (secret) sessions.end(secret)
        cookie.clear(c)
        return wantsPage(c) ? c.redirect('/login', 303) : c.body(null, 204)
      },
    }),
  ]
}
