import { localPath } from '../../src/http/local-path.ts'
import type { AppContext } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import { OperatorSignInPage } from '../../views/operator/access/sign-in-page.tsx'
import type { AdminToken } from './admin-token.ts'
import { longestMs, type OperatorSessions } from './session.ts'

export const operatorsHome = '/admin/overview'

export interface SignIn {
  page(
    c: AppContext,
    about: {
      next?: string | undefined
      /** It is asked for before something with grave consequences. */
      again?: boolean
      email?: string
      error?: string
      tokenError?: string
    },
  ): Response | Promise<Response>
  /** Signs the browser in, as an operator or with the admin token (null). Its session until then ends. */
  begin(c: AppContext, operatorId: string | null): void
}

/** The operators' sign-in page, and the start of their sessions. */
export function operatorSignIn(parts: {
  token: AdminToken
  sessions: OperatorSessions
  cookie: SessionCookie
  ownersSignIn: boolean
  /** Whether there are operators who sign in with an email address. */
  hasOperators(): boolean
  /** The name of the provider, if operators can sign in with it; else null. */
  provider: string | null
}): SignIn {
  const { token, sessions, cookie, ownersSignIn, hasOperators, provider } = parts
  return {
    page: (c, { next, ...about }) =>
      c.render(
        <OperatorSignInPage
          next={localPath(next, operatorsHome)}
          tokenFile={token.file}
          ownersSignIn={ownersSignIn}
          operators={hasOperators() ? { provider } : null}
          {...about}
        />,
        { title: 'Sign in', narrow: true, passkeys: hasOperators() },
      ),
    begin: (c, operatorId) => {
      const before = cookie.read(c)
      if (before !== undefined) sessions.end(before)
      const from = { operatorId, address: c.get('client'), browser: c.req.header('user-agent') ?? '' }
      cookie.write(c, sessions.begin(from), longestMs / 1000)
      c.header('Cache-Control', 'no-store')
    },
  }
}
