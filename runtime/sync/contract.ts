import type { Author } from '../git/authors.ts'
import type { RemoteAddress, Side } from '../git/merge/sync-protocol.ts'
import type { RemoteStatus } from '../repo/contract.ts'

/** Where the jobs repo is synced to, and with which token. */
export interface Connection {
  url: string
  username: string
  token: string
  branch: string
  localBranch: string
}

/** The remote as of the last sync. */
export interface RemoteState extends RemoteStatus {
  username: string
  localBranch: string
  ahead: number | null
  /** How many syncs have failed in a row. */
  failures: number
}

/** Syncing the jobs repo with a remote. */
export interface SyncService {
  /** Null when no remote is connected. */
  remote(): RemoteState | null
  /** Rejects if the repository cannot be read and written, with the reason. */
  verify(
    address: Omit<RemoteAddress, 'limitMs'>,
  ): Promise<{ branches: string[]; defaultBranch: string | null }>
  /** Connects a remote and syncs with it. Returns the secret for its webhook. */
  connect(connection: Connection): Promise<string>
  disconnect(): Promise<void>
  /** Syncs now; a failure shows in `remote()`. `confirm` is the remote's commit that was held back. */
  sync(options?: { confirm?: string; by?: Author }): Promise<void>
  /** Resolves a conflict in favour of one side; `theirs` names the commit that was shown. */
  resolve(pick: { side: Side; theirs: string; by?: Author }): Promise<void>
  /** Starts a sync if the signature of the webhook fits; returns false if not. */
  webhook(body: Uint8Array, signature: string): boolean
  /** The stored token, for connecting the same repository again; null if there is none. */
  token(): string | null
  webhookSecret(): string | null
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    sync: SyncService
  }
}
