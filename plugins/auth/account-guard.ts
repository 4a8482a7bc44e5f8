import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { unauthorized } from '../../src/http/problem.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { AccountSessions, FoundSession } from './account-session.ts'
import type { Account, AccountDirectory } from './contract.ts'

export interface AccountAccess {
  guard: Guard
  /** Who the guard let in. */
  accountOf(c: AppContext): Account
  /** The session by which the guard let somebody in. */
  sessionOf(c: AppContext): FoundSession
  /** Who is signed in, also where nobody has to be. */
  visitor(c: AppContext): Account | null
}

interface Entry {
  session: FoundSession
  account: Account
}

/** The door for owners: the session of a browser, and nothing else. Who is let in is told by the session alone. */
export function accountAccess(parts: {
  sessions: AccountSessions
  accounts: AccountDirectory
  cookie: SessionCookie
}): AccountAccess {
  const { sessions, accounts, cookie } = parts
  const entered = new WeakMap<AppContext, Entry>()

  const find = (c: AppContext): Entry | null => {
    const secret = cookie.read(c)
    const session = secret === undefined ? null : sessions.find(secret)
    const account = session && accounts.get(session.accountId)
    if (!secret || !session || !account || account.closedAt !== null) return null
    if (session.renewedMs !== null) cookie.write(c, secret, Math.floor(session.renewedMs / 1000))
    return { session, account }
  }
  const entryOf = (c: AppContext): Entry => {
    const entry = entered.get(c)
    if (!entry) throw new Error('the route is not behind the guard of accounts')
    return entry
  }

  return {
    guard: {
      schemes: ['account'],
      check: async (c, next) => {
        const entry = find(c)
        if (entry) {
          entered.set(c, entry)
          c.header('Cache-Control', 'no-store')
          return next()
        }
        const ended = 'Sign in with a browser first, and send its cookie.'
        // A redirect would put the sign-in page into a part of this one.
        if (wantsFragment(c)) throw unauthorized(ended, { headers: { 'HX-Redirect': '/sign-in' } })
        if (!wantsPage(c)) throw unauthorized(ended)
        const { pathname, search } = new URL(c.req.url)
        const here = c.req.method === 'GET' ? pathname + search : '/'
        return c.redirect(here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`, 303)
      },
    },
    accountOf: c => entryOf(c).account,
    sessionOf: c => entryOf(c).session,
    visitor: c => find(c)?.account ?? null,
  }
}
