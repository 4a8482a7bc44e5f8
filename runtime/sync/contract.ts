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

/** The remote as it is after the last sync. */
export interface RemoteState extends RemoteStatus {
  username: string
  localBranch: string
  ahead: number | null
  /** So many syncs have failed in a row. */
  failures: number
}

/** Syncing the jobs repo with a remote. */
export interface SyncService {
  /** Null when none is connected. */
  remote(): RemoteState | null
  /** Rejects in words when the repository cannot be read and written. */
  verify(
    address: Omit<RemoteAddress, 'limitMs'>,
  ): Promise<{ branches: string[]; defaultBranch: string | null }>
  /** Returns the secret for the remote's webhook, and does the first sync. */
  connect(connection: Connection): Promise<string>
  disconnect(): Promise<void>
  /** Syncs now. A failure is in `remote()` afterwards. `confirm` names the remote's commit that was held back. */
  sync(options?: { confirm?: string; by?: Author }): Promise<void>
  /** Resolves a conflict in favor of one side, where both changed the same; `theirs` names the commit that was shown. */
  resolve(pick: { side: Side; theirs: string; by?: Author }): Promise<void>
  /** True when the remote's signature fits; then a sync begins. */
  webhook(body: Uint8Array, signature: string): boolean
  /** The token that is kept, for connecting again without typing it. */
  token(): string | null
  webhookSecret(): string | null
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    sync: SyncService
  }
}
