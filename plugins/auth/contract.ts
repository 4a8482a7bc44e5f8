import type { AppContext, Guard } from '../../src/http/route.ts'

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

export interface AuthService {
  /** Lets the operator in: by the admin bearer token, or by the session of a browser that signed in with it. */
  admin: Guard
  /** Returns whether the browser is signed in as the operator; works on pages without a guard, too. */
  isOperator(c: AppContext): boolean
  /** The file that stores the admin token, when it was generated here; null when the operator set it. */
  tokenFile: string | null

  /** Lets an owner in, by the session of a browser that signed in with the provider. The operator is not an owner. */
  account: Guard
  /** The account that the `account` guard let in. */
  accountOf(c: AppContext): Account
  /** The owner who is signed in, or null; works on pages without a guard, too. */
  visitor(c: AppContext): Account | null
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
