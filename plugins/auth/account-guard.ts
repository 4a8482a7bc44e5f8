import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { unauthorized } from '../../src/http/problem.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { AccountSessions, FoundSession } from './account-session.ts'
import type { Account, AccountDirectory } from './contract.ts'

export interface AccountAccess {
  guard: Guard
  /** The account that the guard let in. */
  accountOf(c: AppContext): Account
  /** The session that the guard accepted. */
  sessionOf(c: AppContext): FoundSession
  /** The account that is signed in, or null; works on routes without the guard, too. */
  visitor(c: AppContext): Account | null
  /** The same, with the id of the session. */
  visit(c: AppContext): { account: Account; sessionId: string } | null
}

interface Entry {
  session: FoundSession
  account: Account
}

/** Lets owners in by the session of a browser, and by nothing else. */
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
    if (!entry) throw new Error('the route has no account guard')
    return entry
  }

  return {
    guard: {
      schemes: ['account'],
      check: async (c, next) => {
        const entry = find(c)
        if (entry) {
          entered.set(c, entry)
          c.set('principal', { kind: 'owner', id: entry.account.id, name: '' })
          c.header('Cache-Control', 'no-store')
          return next()
        }
        const ended = 'Sign in with a browser, and send its session cookie.'
        // A redirect would load the sign-in page into a fragment of this one.
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
    visit: c => {
      const entry = find(c)
      return entry && { account: entry.account, sessionId: entry.session.id }
    },
  }
}
