import { addressGroup } from '../../src/http/address.ts'
import { bearerToken } from '../../src/http/bearer.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { Problem, retryLater, unauthorized } from '../../src/http/problem.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import { type Access, type Scope, scopes } from './contract.ts'
import { personNeeded, scopeTooSmall } from './problems.ts'
import { actorOf, type SessionStore } from './session.ts'

export interface AccessParts {
  sessions: SessionStore
  cookie: SessionCookie
  /** Returns the token with that secret and records its use from that address; null if there is none. */
  tokenOf(secret: string, address: string): { name: string; scope: Scope } | null
  /** Counts wrong tokens per address. */
  wrongTokens: RateLimit
}

export function createAccess({ sessions, cookie, tokenOf, wrongTokens }: AccessParts): Access {
  const sessionOf = (c: AppContext) => {
    const secret = cookie.read(c)
    const session = secret === undefined ? null : sessions.find(secret)
    return secret && session ? { secret, ...session } : null
  }

  /** Wrong tokens are counted. The right one always works, because 256 bits cannot be guessed. */
  const tokenIn = (c: AppContext, secret: string) => {
    const token = tokenOf(secret, c.get('client'))
    if (token) return token
    const group = addressGroup(c.get('client'))
    const wait = wrongTokens.retryAfter(group)
    if (wait > 0) throw retryLater(wait)
    wrongTokens.fail(group)
    throw unauthorized('The token does not belong to this instance, or was revoked.', {
      headers: challenge,
    })
  }

  /** Accepts the caller if the token is enough. */
  const admit = (c: AppContext, token: { name: string; scope: Scope }, needed: Scope) => {
    if (!allows(token.scope, needed)) {
      throw scopeTooSmall(`The token "${token.name}" has the scope ${token.scope}; this needs ${needed}.`)
    }
    c.set('actor', { kind: 'token', name: token.name })
  }

  const gitToken = (c: AppContext, secret: string) => {
    try {
      return tokenIn(c, secret)
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        throw askForPassword(secret.startsWith('lht_') ? error.detail : tokenNeeded)
      }
      throw error
    }
  }

  const guard = (neededFor: (method: string) => Scope | null): Guard => ({
    schemes: neededFor('GET') === null ? ['session'] : ['session', 'bearer'],
    check: async (c, next) => {
      const secret = bearer(c)
      if (secret !== undefined) {
        const token = tokenIn(c, secret)
        const needed = neededFor(c.req.method)
        if (needed === null) throw personNeeded('API tokens cannot do this. Sign in with the password.')
        admit(c, token, needed)
      } else {
        const session = sessionOf(c)
        if (!session) return refuse(c)
        if (session.refreshed) cookie.write(c, session.secret, Math.floor(session.keepMs / 1000))
        c.set('actor', actorOf(session))
      }
      c.header('Cache-Control', 'no-store')
      return next()
    },
  })

  return {
    signedIn: guard(method => (method === 'GET' || method === 'HEAD' ? 'read' : 'write')),
    mayRun: guard(() => 'run'),
    mayWrite: guard(() => 'write'),
    person: guard(() => null),
    git: neededFor => ({
      schemes: ['bearer'],
      check: async (c, next) => {
        const secret = bearer(c) ?? basicPassword(c)
        if (!secret) throw askForPassword('Send an API token as the password, with any user name.')
        admit(c, gitToken(c, secret), neededFor(c))
        c.header('Cache-Control', 'no-store')
        return next()
      },
    }),
    isAuthenticated: c => {
      const secret = bearer(c)
      return secret === undefined ? sessionOf(c) !== null : tokenIn(c, secret) !== null
    },
  }
}

function bearer(c: AppContext): string | undefined {
  return bearerToken(c.req.header('authorization'))
}

/** RFC 7617; undefined if there is none, or it cannot be read. */
function basicPassword(c: AppContext): string | undefined {
  const encoded = /^Basic\s+(\S+)\s*$/i.exec(c.req.header('authorization') ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : text.slice(colon + 1)
}

const tokenNeeded =
  'git needs an API token as the password, and not the password of the instance. A token begins with lht_; create one on the page API tokens.'

/** Git asks the person, or its credential store, only for this scheme. */
const askForPassword = (detail: string) =>
  unauthorized(detail, { headers: { 'WWW-Authenticate': 'Basic realm="longhouse", charset="UTF-8"' } })

const challenge = { 'WWW-Authenticate': 'Bearer realm="longhouse"' }

function refuse(c: AppContext): Response {
  if (wantsFragment(c)) {
    // htmx would swap the sign-in page into the middle of this one.
    return c.body(null, 401, { 'HX-Redirect': signInPath(currentPath(c)) })
  }
  if (wantsPage(c)) return c.redirect(signInPath(c.req.method === 'GET' ? pathOf(c.req.url) : '/'), 303)
  throw unauthorized(
    'Sign in with POST /api/auth/password {"password": "…"} and send the cookie that it sets, or send a token as "Authorization: Bearer lht_…".',
    { headers: challenge },
  )
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

function allows(granted: Scope, needed: Scope): boolean {
  return scopes.indexOf(granted) >= scopes.indexOf(needed)
}
