import { z } from 'zod'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, Problem, retryLater } from '../../src/http/problem.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import { unmatchableHash, verifyPassword } from '../../src/password.ts'
import type { Guesses } from '../../src/sign-in/guesses.ts'
import { CodePage, RecoveryCodesPage, SetUpPage } from '../../views/operator/access/sign-in-steps.tsx'
import { type AuthService, signInOver } from '../auth/contract.ts'
import type { OperatorBook } from './book.ts'
import type { Entry } from './entry.ts'
import type { OperatorRow } from './operator.ts'
import type { PasskeyDesk } from './passkey.ts'
import { passkeyRefused, wrongSignIn } from './problems.ts'
import type { SecondFactor } from './second-factor.ts'
import { codeField, codesSchema, credentialField, optionsSchema } from './wire.ts'

const home = '/admin/overview'
const wrong = 'This email address and password do not belong together.'
const over =
  'The sign-in took more than ten minutes, or the password, the app or the role was changed meanwhile. Start again.'
const nextField = z.string('must be a path of this site').optional()
const signedIn = {
  204: { description: 'Signed in: the cookie is set' },
  303: { description: 'For a browser: to the next page' },
}

export interface SignInParts {
  auth: Pick<AuthService, 'signInPage'>
  book: OperatorBook
  factor: SecondFactor
  passkeys: PasskeyDesk
  entry: Entry
  /** Of passwords. */
  guesses: Guesses
  /** Of what comes after a password or in its place: codes without a sign-in in progress, and passkeys. */
  answerGuesses: Guesses
}

/** What follows a right password: the second factor, setting one up, or the session. */
export function afterPassword(
  { book, factor, entry }: Pick<SignInParts, 'book' | 'factor' | 'entry'>,
  c: AppContext,
  row: OperatorRow,
  next: string | undefined,
): Response {
  const operator = book.view(row)
  const step =
    operator.hasApp || operator.passkeys > 0 ? 'code' : factor.demands(operator.role) ? 'set-up' : null
  if (step === null) {
    entry.enter(c, row)
    return wantsPage(c) ? c.redirect(localPath(next, home), 303) : c.body(null, 204)
  }
  if (step === 'set-up') factor.draft(row)
  entry.begin(c, row, next)
  c.set('about', null)
  const there = `/login/${step}`
  return wantsPage(c) ? c.redirect(there, 303) : c.json({ next: there }, 202, { Location: there })
}

/** Signing in as an operator: a password and a second factor, or a passkey. */
export function signInRoutes(parts: SignInParts): Route[] {
  return [passwordRoute(parts), ...codeRoutes(parts), ...setUpRoutes(parts), ...passkeyRoutes(parts)]
}

/** Answers a sign-in that failed: a browser with the sign-in page, a script with the problem. */
function failing(auth: SignInParts['auth']) {
  return (c: AppContext, problem: Problem, about: { next?: string | undefined; email?: string } = {}) => {
    if (!wantsPage(c)) throw problem
    c.status(problem.status as 401)
    for (const [name, value] of Object.entries(problem.headers)) c.header(name, value)
    return auth.signInPage(c, { ...about, error: problem.detail })
  }
}

const errorOf = (errors: readonly FieldError[]) => errors.map(({ message }) => message).join('; ')

function passwordRoute(parts: SignInParts): Route {
  const { auth, book, entry, guesses } = parts
  const failed = failing(auth)
  return route({
    method: 'post',
    path: '/login/password',
    summary: 'Sign in as an operator with email address and password',
    audit: 'refusals',
    guard: open,
    body: z.object({
      email: z
        .string('must be an email address')
        .trim()
        .min(1, 'must be an email address')
        .max(254, 'is too long'),
      password: z.string('must be the password').min(1, 'must be the password').max(1000, 'is too long'),
      next: nextField,
    }),
    answers: {
      ...signedIn,
      202: {
        description:
          'The password is right. Continue at `Location`: with a second factor, or by setting one up',
        schema: z.object({ next: z.string() }),
        headers: { Location: '`/login/code` or `/login/set-up`' },
      },
    },
    onInvalid: (c, errors, { email, next }) => {
      c.status(422)
      return auth.signInPage(c, {
        ...(typeof email === 'string' ? { email } : {}),
        next: typeof next === 'string' ? next : undefined,
        error: errors.map(({ path, message }) => `${path} ${message}`).join('; '),
      })
    },
    handle: async (c, { body: { email, password, next } }) => {
      const found = book.byEmail(email)
      // What a stranger typed is not recorded: it may be a password in the wrong field.
      c.set('about', found ? found.email : 'no operator')
      const by = { address: c.get('client'), browser: entry.knownBrowser(c, found?.id) }
      // An unknown address takes as long as a known one.
      const hash = found?.passwordHash ?? unmatchableHash
      const wait = await guesses.judge(by, () => verifyPassword(password, hash))
      if (wait !== null && wait > 0) return failed(c, retryLater(wait), { next, email })
      // The password may have been changed while it was compared.
      const row = wait === null && found ? book.joined(found.id) : null
      if (!row || row.passwordHash !== hash) return failed(c, wrongSignIn(wrong), { next, email })
      c.set('principal', { kind: 'operator', id: row.id, name: row.name })
      return afterPassword(parts, c, row, next)
    },
  })
}

/** The second factor of an operator who has one. */
function codeRoutes({ auth, book, factor, entry, answerGuesses }: SignInParts): Route[] {
  const failed = failing(auth)
  const codePage = (c: AppContext, row: OperatorRow, error?: string) => {
    c.header('Cache-Control', 'no-store')
    const { hasApp, passkeys: keys } = book.view(row)
    const next = localPath(entry.at(c)?.next, home)
    return c.render(<CodePage hasApp={hasApp} hasPasskey={keys > 0} next={next} error={error} />, {
      ...{ title: 'Second factor', narrow: true, passkeys: true },
    })
  }
  return [
    route({
      method: 'get',
      path: '/login/code',
      summary: 'The page that asks for the second factor',
      guard: open,
      pageOnly: true,
      answers: { 200: { description: 'The page' } },
      handle: c => {
        const begun = entry.at(c)
        return begun ? codePage(c, begun.row) : failed(c, signInOver(over))
      },
    }),
    route({
      method: 'post',
      path: '/login/code',
      summary: 'Continue a sign-in with a code of the app, or a recovery code',
      audit: 'refusals',
      guard: open,
      body: z.object({ code: codeField }),
      answers: signedIn,
      onInvalid: (c, errors) => {
        const begun = entry.at(c)
        c.status(422)
        return begun ? codePage(c, begun.row, errorOf(errors)) : failed(c, signInOver(over))
      },
      handle: async (c, { body: { code } }) => {
        const begun = entry.at(c)
        if (!begun) {
          c.set('about', null)
          const by = { address: c.get('client'), browser: null }
          const wait = await answerGuesses.judge(by, async () => false)
          return failed(c, wait ? retryLater(wait) : signInOver(over))
        }
        const { row, next } = begun
        c.set('about', row.email)
        if (!factor.takes(row, code, { isKnown: entry.knownBrowser(c, row.id) !== null })) {
          const detail = 'This is neither the code that the app shows now nor a recovery code that is left.'
          if (!wantsPage(c)) throw wrongSignIn(detail)
          c.status(401)
          return codePage(c, row, detail)
        }
        entry.enter(c, row)
        return wantsPage(c) ? c.redirect(localPath(next, home), 303) : c.body(null, 204)
      },
    }),
  ]
}

/** The first second factor, which an operator sets up on the way in. */
function setUpRoutes({ auth, book, factor, entry }: SignInParts): Route[] {
  const failed = failing(auth)
  const setUpPage = (c: AppContext, row: OperatorRow, error?: string) => {
    const app = factor.drafted(row)
    if (!app) return failed(c, signInOver(over))
    c.header('Cache-Control', 'no-store')
    return c.render(<SetUpPage app={app} role={row.role} error={error} />, {
      ...{ title: 'Second factor', narrow: true },
    })
  }
  /** The operator who is to set up their first second factor in this sign-in. */
  const settingUp = (c: AppContext) => {
    const begun = entry.at(c)
    if (!begun) return null
    const { hasApp, passkeys: keys } = book.view(begun.row)
    return hasApp || keys > 0 ? null : begun
  }
  return [
    route({
      method: 'get',
      path: '/login/set-up',
      summary: 'The page that sets up a second factor',
      guard: open,
      pageOnly: true,
      answers: { 200: { description: 'The page' } },
      handle: c => {
        const begun = settingUp(c)
        return begun ? setUpPage(c, begun.row) : failed(c, signInOver(over))
      },
    }),
    route({
      method: 'post',
      path: '/login/set-up',
      summary: 'Confirm the app that was set up, and sign in',
      guard: open,
      body: z.object({ code: codeField }),
      answers: {
        200: { description: 'Signed in. The recovery codes are shown only here', schema: codesSchema },
      },
      onInvalid: (c, errors) => {
        const begun = settingUp(c)
        c.status(422)
        return begun ? setUpPage(c, begun.row, errorOf(errors)) : failed(c, signInOver(over))
      },
      handle: (c, { body: { code } }) => {
        const begun = settingUp(c)
        if (!begun) return failed(c, signInOver(over))
        const { row, next } = begun
        c.set('principal', { kind: 'operator', id: row.id, name: row.name })
        c.set('about', row.email)
        let codes: string[]
        try {
          codes = factor.confirm(row, code)
        } catch (error) {
          if (!(error instanceof Problem) || !error.errors || !wantsPage(c)) throw error
          c.status(422)
          return setUpPage(c, row, errorOf(error.errors))
        }
        entry.enter(c, row)
        if (!wantsPage(c)) return c.json({ recovery_codes: codes })
        return c.render(<RecoveryCodesPage codes={codes} next={localPath(next, home)} />, {
          ...{ title: 'Recovery codes', narrow: true },
        })
      },
    }),
  ]
}

function passkeyRoutes({ auth, passkeys, entry, answerGuesses }: SignInParts): Route[] {
  const failed = failing(auth)
  return [
    route({
      method: 'post',
      path: '/login/passkey/options',
      summary: 'What a browser needs to sign in with a passkey',
      audit: { none: 'it changes nothing until the passkey has answered' },
      guard: open,
      answers: { 200: { description: 'The options', schema: optionsSchema } },
      handle: async c => {
        c.header('Cache-Control', 'no-store')
        return c.json(await passkeys.signInOptions(c))
      },
    }),
    route({
      method: 'post',
      path: '/login/passkey',
      summary: 'Sign in as an operator with a passkey',
      audit: 'refusals',
      guard: open,
      body: z.object({ credential: credentialField, next: nextField }),
      answers: signedIn,
      handle: async (c, { body: { credential, next } }) => {
        const by = {
          address: c.get('client'),
          browser: entry.knownBrowser(c, passkeys.ownerOf(credential)),
        }
        let row: OperatorRow | undefined
        let problem: Problem = passkeyRefused(
          'The passkey could not be verified. Nothing was changed. Try again.',
        )
        const wait = await answerGuesses.judge(by, async () => {
          try {
            row = await passkeys.answered(c, credential)
            return true
          } catch (error) {
            if (!(error instanceof Problem)) throw error
            problem = error
            return false
          }
        })
        if (!row) {
          if (problem.code === signInOver.code) c.set('about', null)
          return failed(c, wait ? retryLater(wait) : problem, { next })
        }
        c.set('about', row.email)
        entry.enter(c, row)
        return wantsPage(c) ? c.redirect(localPath(next, home), 303) : c.body(null, 204)
      },
    }),
  ]
}
