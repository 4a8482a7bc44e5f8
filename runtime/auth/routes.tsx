import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { timestamp } from '../../src/clock.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { defineProblem, retryLater, waitInWords } from '../../src/http/problem.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import { newSecret, type SessionCookie } from '../../src/http/session-cookie.ts'
import type { Guesses } from '../../src/sign-in/guesses.ts'
import { LoginPage } from '../../views/instance/login-page.tsx'
import { owner } from './contract.ts'
import type { PasswordGate } from './password.ts'
import type { PasswordLogin } from './password-login.ts'
import type { SessionStore } from './session.ts'

const passwordOff = defineProblem('password-off', 403, 'The password is turned off')
const wrongPassword = defineProblem('wrong-password', 401, 'Wrong password')

export interface AuthParts {
  sessions: SessionStore
  cookie: SessionCookie
  /** Resolves when the current password is ready for comparison. */
  gate(): Promise<PasswordGate>
  login: PasswordLogin
  /** True if a control plane signs its owner in too. */
  sso: boolean
  guesses: Guesses
  /** Recognises a browser that signed in here before. */
  known: SessionCookie
  clock: Clock
  /** The name of this instance. */
  place: string
}

/** Routes for signing in and out. */
export function authRoutes(parts: AuthParts): Route[] {
  return [showLogin(parts), passwordLogin(parts), logout(parts)]
}

const showLogin = (parts: AuthParts) =>
  route({
    method: 'get',
    path: '/login',
    summary: 'The sign-in page',
    guard: open,
    pageOnly: true,
    query: z.object({ next: z.string().optional() }),
    answers: { 200: { description: 'A form', type: 'text/html' } },
    handle: (c, { query }) => {
      const secret = parts.cookie.read(c)
      const next = localPath(query.next, '/')
      if (secret && parts.sessions.find(secret)) return c.redirect(next, 303)
      return loginPage(parts, c, { next })
    },
  })

const passwordLogin = (parts: AuthParts) =>
  route({
    method: 'post',
    path: '/api/auth/password',
    summary: 'Sign in with the password; sets the session cookie',
    guard: open,
    body: z.object({
      password: z.string('must be the password as a text').min(1, 'must not be empty'),
      username: z
        .string('must be a text')
        .optional()
        .meta({ description: 'Ignored; password managers fill it in' }),
      next: z
        .string('must be a path of this site')
        .optional()
        .meta({ description: 'For a browser: the path to redirect to' }),
    }),
    limitBytes: 8192,
    answers: {
      200: {
        description: 'Signed in',
        schema: z.object({ signed_in: z.literal(true), expires_at: z.iso.datetime() }),
      },
      303: { description: 'Signed in, for a browser' },
      401: { description: 'Wrong password' },
      429: { description: 'Too many failed attempts; see Retry-After' },
    },
    onInvalid: (c, errors, fields) =>
      loginPage(
        parts,
        c,
        {
          next: localPath(typeof fields.next === 'string' ? fields.next : undefined, '/'),
          error: errors.map(error => `The ${error.path} ${error.message}.`).join(' '),
        },
        422,
      ),
    handle: (c, { body: { password, next } }) => signIn(parts, c, password, localPath(next, '/')),
  })

const logout = (parts: AuthParts) =>
  route({
    method: 'post',
    path: '/api/auth/logout',
    summary: 'Sign out; does nothing without a session',
    guard: open,
    answers: { 204: { description: 'Signed out' }, 303: { description: 'Signed out, for a browser' } },
    handle: c => {
      const secret = parts.cookie.read(c)
      if (secret && parts.sessions.find(secret)) c.set('actor', owner)
      if (secret) parts.sessions.close(secret)
      parts.cookie.clear(c)
      return wantsPage(c) ? c.redirect('/login', 303) : c.body(null, 204)
    },
  })

async function signIn(parts: AuthParts, c: AppContext, password: string, next: string) {
  const { sessions, cookie, gate, login, guesses, known, clock } = parts
  if (login.isOff()) {
    const off = 'The password is turned off here; sign in with your Longhouse account.'
    if (!wantsPage(c)) throw passwordOff(off)
    return loginPage(parts, c, { next, error: off }, 403)
  }
  const { matches, mark } = await gate()
  const browser = browserOf(known.read(c), mark)
  const by = { address: c.get('client'), browser }
  const wait = await guesses.judge(by, () => matches(password))
  if (wait !== null && wait > 0) {
    if (!wantsPage(c)) throw retryLater(wait)
    c.header('Retry-After', String(wait))
    const error = `Too many failed attempts. Try again in ${waitInWords(wait)}.`
    return loginPage(parts, c, { next, error }, 429)
  }
  if (wait === 0) {
    if (!wantsPage(c)) throw wrongPassword('This is not the password of this instance.')
    return loginPage(parts, c, { next, error: 'This is not the password of this instance.' }, 401)
  }
  c.set('actor', owner)
  const { secret, keepMs } = sessions.open('password')
  cookie.write(c, secret, Math.floor(keepMs / 1000))
  if (browser === null) {
    const name = newSecret()
    known.write(c, `${name}.${mark(name)}`, 365 * 24 * 3600)
  }
  c.header('Cache-Control', 'no-store')
  if (wantsPage(c)) return c.redirect(next, 303)
  return c.json({ signed_in: true, expires_at: timestamp(clock.now() + keepMs) })
}

function loginPage(
  { place, login, sso }: AuthParts,
  c: AppContext,
  props: { next?: string | undefined; error?: string },
  status: 200 | 401 | 403 | 422 | 429 = 200,
) {
  c.status(status)
  c.header('Cache-Control', 'no-store')
  return c.render(<LoginPage place={place} password={!login.isOff()} sso={sso} {...props} />, {
    title: 'Sign in',
    narrow: true,
  })
}

/** The name of a browser with a valid mark; null for any other. */
function browserOf(value: string | undefined, mark: (name: string) => string): string | null {
  const [name = '', said = ''] = value?.split('.') ?? []
  const right = Buffer.from(mark(name))
  const given = Buffer.from(said)
  return name !== '' && given.length === right.length && timingSafeEqual(given, right) ? name : null
}
