import type { Actor, AppContext, Guard } from '../../src/http/route.ts'

/** What a token may do; each scope includes the previous ones. */
export const scopes = ['read', 'run', 'write'] as const

export type Scope = (typeof scopes)[number]

/** The person who knows the password. */
export const owner: Actor = { kind: 'session', name: 'owner' }

/** Guards of the instance's routes: for people with a session, and for scripts with a token. */
export interface Access {
  /** A session, or a token whose scope fits the method: `read` for GET, else `write`. */
  signedIn: Guard
  /** A session, or a token that may run jobs. */
  mayRun: Guard
  /** A session, or a token with the scope `write`, for reading too. */
  mayWrite: Guard
  /** A session only: a token must not create another token, so that revoking it ends all access it gave. */
  person: Guard
  /**
   * A token with the scope that the request needs, as a bearer token or as the password of HTTP Basic, which is how git
   * sends one. Never a session: a browser repeats a Basic password by itself.
   */
  git(neededFor: (c: AppContext) => Scope): Guard
  /** True for callers that `signedIn` accepts, on a route that is open to others too. */
  isAuthenticated(c: AppContext): boolean
}

export interface AuthService extends Access {
  /** The guard of the first page: `signedIn`, or a single sign-on token of the control plane. */
  firstPage: Guard
  /** Resolves when the configured password is in use and every session of the previous one has ended. */
  passwordReady: Promise<unknown>
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    auth: AuthService
  }
  interface Hooks {
    /**
     * Returns the token with that secret and records its use from that address; null if there is none. Without an
     * answer to this hook there are no tokens.
     */
    'bearer-token': (secret: string, address: string) => { name: string; scope: Scope } | null
    /** Called after single sign-on through the control plane. */
    'signed-in': (c: AppContext) => void
  }
}
