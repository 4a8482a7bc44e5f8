import type { Principal } from '../../src/acting.ts'
import { defineProblem } from '../../src/http/problem.ts'
import type { AppContext, Guard, Role } from '../../src/http/route.ts'

export const signInOver = defineProblem('sign-in-over', 400, 'This sign-in has expired')
export const notAnOperatorHere = defineProblem('not-an-operator-here', 403, 'You are not an operator here')

/** An owner's account, as other plugins see it. */
export interface Account {
  id: string
  issuer: string
  /** Verified by the issuer at the last sign-in. Two accounts may have the same address; only the id is unique. */
  email: string
  name: string | null
  createdAt: number
  /** When its owner deleted it; null while it is open. */
  closedAt: number | null
}

export interface AccountDirectory {
  /** An open or closed account; null when there never was one. */
  get(id: string): Account | null
  /** The open accounts with this email address, ignoring case. */
  byEmail(email: string): Account[]
  /** All accounts, oldest first. */
  list(): Account[]
  /** Closes an account and ends its sessions. Its record is kept until it is erased. Returns false when it was closed already. */
  close(id: string): boolean
}

/** A browser in which an owner is signed in. */
export interface AccountSession {
  id: string
  /** The User-Agent at the sign-in. */
  browser: string
  createdAt: number
  lastSeenAt: number
}

/** A browser in which an operator is signed in. */
export interface OperatorSession {
  /** Identifies it on pages; grants no access. */
  id: string
  /** Null if it was the admin token that signed in. */
  operatorId: string | null
  createdAt: number
  lastSeenAt: number
  /** The address and the User-Agent at the sign-in; null in one of an earlier version. */
  address: string | null
  browser: string | null
}

/** A person, as their sign-in provider identifies them. The email address is verified. */
export interface Identity {
  issuer: string
  subject: string
  email: string
  name: string | null
}

/** An operator or one of their tokens, and what they may do. */
export interface Access {
  principal: Principal
  role: Role
  /** The subdomains of the only instances that it is for; null for no such limit. */
  instances: readonly string[] | null
}

/** A change of who may do what here. */
export interface AccessChange {
  change:
    | 'create-token'
    | 'revoke-token'
    | 'end-session'
    | 'invite-operator'
    | 'join-operator'
    | 'change-operator'
    | 'reset-operator'
    | 'remove-operator'
    | 'change-sign-in'
  /** The name of the token; the id of the session; the email address of the operator. */
  target: string
  detail?: string
}

export interface AuthService {
  /**
   * Lets operators in whose role is at least the route's: by the admin token, by the session of a browser, or by an API token.
   * A token for some instances gets only to routes whose path names one of them. A route that is `fresh` refuses a browser
   * that signed in more than ten minutes ago.
   */
  admin: Guard
  /** Announces a change to those who record it. Call it in the transaction that makes the change. */
  accessChanged(change: AccessChange): void
  /** Throws `role-needed`, or `out-of-scope` for a token that is for some instances. For what only part of a route's requests need. */
  requireRole(c: AppContext, role: Role, options?: { beyondInstances?: boolean }): void
  /** Throws `sign-in-again` where a `fresh` route would. For what only part of a route's requests need. */
  requireFresh(c: AppContext): void
  /** Returns whether the browser is signed in as an operator; works on pages without a guard, too. */
  isOperator(c: AppContext): boolean
  operatorSessions: {
    /** Signs the browser in as an operator. Its session until then ends. */
    begin(c: AppContext, operatorId: string): void
    /** Where an operator is signed in, newest first. */
    of(operatorId: string): OperatorSession[]
    /** The id of the session of this request; null without one. */
    current(c: AppContext): string | null
    /** Ends one session of an operator. Throws `unknown-session`. */
    end(operatorId: string, id: string): void
    /** Ends all sessions of an operator, except the one with this id. */
    endAll(operatorId: string, exceptId?: string): void
  }
  /** The name of the provider, if operators may sign in with it; else null. */
  operatorsProvider: string | null
  /** Answers with the operators' sign-in page, and what went wrong before. */
  signInPage(
    c: AppContext,
    about: { next?: string | undefined; email?: string; error?: string },
  ): Response | Promise<Response>
  /** The file that stores the admin token, when it was generated here; null when the operator set it. */
  tokenFile: string | null

  /** Lets an owner in, by the session of a browser that signed in with the provider. The operator is not an owner. */
  account: Guard
  /** The account that the `account` guard let in. */
  accountOf(c: AppContext): Account
  /** The owner who is signed in, or null; works on pages without a guard, too. */
  visitor(c: AppContext): Account | null
  /** The same, with the id of the session. */
  visit(c: AppContext): { account: Account; sessionId: string } | null
  accounts: AccountDirectory
  /** Where an account is signed in, newest first. */
  sessionsOf(accountId: string): AccountSession[]
  /** What every plugin stores about an account, by the plugin's name. */
  exportOf(account: Account): Record<string, unknown>
  /** The name of the sign-in provider, for people; null when none is set up. */
  provider: string | null
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    auth: AuthService
  }
  interface Hooks {
    /** Called in the transaction that makes the change, so that neither is there without the other. */
    'access-change': (change: AccessChange) => void
    /** Finds what an API token may do, and records its use from that address; null when there is none. */
    'api-token': (secret: string, address: string) => Access | null
    /** What an operator may do now; null if there is none with this id. */
    operator: (id: string) => Access | null
    /** Whether there are operators who sign in with an email address, and so not only with the admin token. */
    'operators-sign-in': () => boolean
    /** The id of the operator who signed in with the provider. Throws a Problem if there is none. */
    'operator-of-identity': (identity: Identity) => string
    /** Has an operator sign in with the provider as this person from now on. Throws a Problem if they cannot. */
    'operator-link': (operatorId: string, identity: Identity) => void
    /** What a plugin stores about an account, as JSON, for its owner's export. */
    'account-export': (account: Account) => unknown
    /**
     * Returns true, or throws, while a plugin keeps something for a deleted account. Its owner is remembered meanwhile, and
     * finds it when they return.
     */
    'account-kept': (accountId: string) => boolean
  }
  interface Events {
    /** An owner signed in for the first time. */
    'account-created': { accountId: string }
    /** An owner who had deleted their account signed in again. */
    'account-reopened': { accountId: string }
    /** The provider sent a different email address. */
    'account-email-changed': { accountId: string; email: string }
    /** An owner deleted their account. */
    'account-closed': { accountId: string }
  }
}
