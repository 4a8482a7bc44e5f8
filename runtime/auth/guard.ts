import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { unauthorized } from '../../src/http/problem.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { SessionStore } from './session.ts'

/** Lets in whoever holds a live session; sends a browser to the sign-in page and on to where it wanted to go. */
export function signedInGuard(sessions: SessionStore, cookie: SessionCookie): Guard {
  return {
    schemes: ['session'],
    check: async (c, next) => {
      const secret = cookie.read(c)
      const session = secret === undefined ? null : sessions.find(secret)
      if (!secret || !session) return refuse(c)
      if (session.refreshed) cookie.write(c, secret, Math.floor(session.keepMs / 1000))
      c.header('Cache-Control', 'no-store')
      return next()
    },
  }
}

function refuse(c: AppContext): Response {
  if (!wantsPage(c)) {
    throw unauthorized(
      'Sign in with POST /api/auth/password {"password": "…"} and send the cookie that it sets.',
    )
  }
  if (wantsFragment(c)) {
    // htmx would put the sign-in page into the middle of this one.
    return c.body(null, 401, { 'HX-Redirect': signInPath(currentPath(c)) })
  }
  return c.redirect(signInPath(c.req.method === 'GET' ? pathOf(c.req.url) : '/'), 303)
}

function signInPath(next: string): string {
  return next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`
}

function currentPath(c: AppContext): string {
  const url = c.req.header('hx-current-url') ?? ''
  return URL.canParse(url) ? pathOf(url) : '/'
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
