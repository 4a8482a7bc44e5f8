import type { Actor, AppContext, Guard } from '../../src/http/route.ts'

/** What a token may do; each allows what stands before it, too. */
export const scopes = ['read', 'run', 'write'] as const

export type Scope = (typeof scopes)[number]

/** The person who knows the password. */
export const owner: Actor = { kind: 'session', name: 'owner' }

/** The doors of an instance: for people with a session, and for scripts with a token. */
export interface Access {
  /** A session, or a token whose scope fits the method: `read` for GET, else `write`. */
  signedIn: Guard
  /** A session, or a token that may run jobs. */
  mayRun: Guard
  /** A session, or a token with the scope `write`, for reading too. */
  mayWrite: Guard
  /** A session only: a token must not make another one, so that revoking it ends what it opened. */
  person: Guard
  /** True for callers that `signedIn` lets in, on a route that is open to others too. */
  isAuthenticated(c: AppContext): boolean
}

export interface AuthService extends Access {
  /** The guard of the first page: `signedIn`, or a token of the control plane that signs in. */
  firstPage: Guard
  /** Resolves when the configured password holds and every session of an earlier one has ended. */
  passwordReady: Promise<unknown>
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    auth: AuthService
  }
  interface Hooks {
    /** Returns the token with that secret, used from that address; null when there is none. Without an answer there are no tokens. */
    'bearer-token': (secret: string, address: string) => { name: string; scope: Scope } | null
    /** Called after a sign-in by way of the control plane. */
    'signed-in': (c: AppContext) => void
  }
}
