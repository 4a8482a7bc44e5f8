import type { AppContext, Guard } from '../../src/http/route.ts'

/** An owner, as other plugins see one. */
export interface Account {
  id: string
  issuer: string
  /** Verified by the issuer at the last sign-in. Two accounts may have the same one: the id says who it is. */
  email: string
  name: string | null
  createdAt: number
  /** When its owner deleted it; null while it is open. */
  closedAt: number | null
}

export interface AccountDirectory {
  /** Open or closed; null when there never was one. */
  get(id: string): Account | null
  /** The open accounts with this address, in whatever case it is written. */
  byEmail(email: string): Account[]
  /** All of them, oldest first. */
  list(): Account[]
  /** Ends every session and keeps the record until it is forgotten; false when it was closed already. */
  close(id: string): boolean
}

/** A browser in which an owner is signed in. */
export interface AccountSession {
  id: string
  /** What the browser called itself at the sign-in. */
  browser: string
  createdAt: number
  lastSeenAt: number
}

export interface AuthService {
  /** Lets the operator in: by the admin bearer token, or by the session of a browser that signed in with it. */
  admin: Guard
  /** Returns whether the browser is signed in as the operator; works on pages without a guard, too. */
  isOperator(c: AppContext): boolean
  /** The file that keeps the admin token when it was made here; null when the operator gave it. */
  tokenFile: string | null

  /** Lets an owner in, by the session of a browser that signed in with the provider. The operator is no owner. */
  account: Guard
  /** Who was let in by `account`. */
  accountOf(c: AppContext): Account
  /** The owner who is signed in, or null; works on pages without a guard, too. */
  visitor(c: AppContext): Account | null
  accounts: AccountDirectory
  /** Where an account is signed in, newest first. */
  sessionsOf(accountId: string): AccountSession[]
  /** What every plugin keeps about an account, by the plugin's name. */
  exportOf(account: Account): Record<string, unknown>
  /** The provider that owners sign in with, as people call it; null when none is set up. */
  provider: string | null
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    auth: AuthService
  }
  interface Hooks {
    /** What a plugin keeps about an account, as JSON, for the file that its owner can download. */
    'account-export': (account: Account) => unknown
    /**
     * True, or an error, while a plugin keeps something for a deleted account: then its person is remembered, so that
     * they find it when they come back.
     */
    'account-kept': (accountId: string) => boolean
  }
  interface Events {
    /** Somebody signed in for the first time. */
    'account-created': { accountId: string }
    /** Somebody who had deleted the account signed in again. */
    'account-reopened': { accountId: string }
    /** The provider knows another address now. */
    'account-email-changed': { accountId: string; email: string }
    /** An owner deleted the account. */
    'account-closed': { accountId: string }
  }
}
