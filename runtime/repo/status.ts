import type { ConflictFile, Side } from '../git/merge/sync-protocol.ts'
import type { NotCommitted, NotFetched } from '../git/work-tree/left-out.ts'
import type { Unpushed } from '../git/work-tree/protocol.ts'

/** The jobs repo, with what is known of its remote. */
export interface RepoStatus {
  initialized: boolean
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  dirty: boolean
  /** Why changes are not committed, in words; null when nothing is in the way. */
  obstacle: string | null
  /** The first hundred paths that are in git, and not in the files as they should be. */
  notFetched: readonly NotFetched[]
  /** The first hundred that are in the files, and never in git. */
  notCommitted: readonly NotCommitted[]
  remote: RepoRemote
}

/** The remote that the repo is synced with. */
export interface RepoRemote {
  connected: boolean
  url: string | null
  branch: string | null
  /** Commits that the remote is not known to have, also while it is away. */
  ahead: number | null
  unpushed: Unpushed
  behind: number | null
  lastSyncAt: number | null
  /** Why the last sync failed; it is tried again by itself. */
  error: string | null
  /** Null while nothing is connected. */
  nextSyncAt: number | null
  syncing: boolean
  /** Both sides changed the same, and a person has to pick. */
  conflict: Conflict | null
  /** A change of the remote that waits to be confirmed. */
  held: Held | null
}

export const conflictKinds = ['edits', 'rewritten'] as const

/** Both sides changed the same; nothing is taken over until a person has picked. */
export interface Conflict {
  /** `rewritten` when the remote's history no longer holds what was synced before. */
  kind: (typeof conflictKinds)[number]
  ours: string
  theirs: string
  /** Where on the remote our side was pushed to; null while it could not be. */
  sideBranch: string | null
  files: ConflictFile[]
}

/** A change of the remote that waits for a confirmation. */
export interface Held {
  ours: string
  theirs: string
  /** Ids of the jobs that it would remove, of so many. */
  removes: string[]
  of: number
  /** What had been picked before, if there was a conflict. */
  pick: Side | null
}

/** What the status of the repo says of its remote. */
export interface RemoteStatus {
  url: string
  branch: string
  /** The remote's head after the last sync. */
  last: string | null
  behind: number | null
  lastSyncAt: number | null
  error: string | null
  nextSyncAt: number | null
  syncing: boolean
  conflict: Conflict | null
  held: Held | null
}
