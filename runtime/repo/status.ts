import type { ConflictFile, Side } from '../git/merge/sync-protocol.ts'
import type { NotCommitted, NotFetched } from '../git/work-tree/left-out.ts'
import type { Unpushed } from '../git/work-tree/protocol.ts'

/** The state of the jobs repo and its remote. */
export interface RepoStatus {
  initialized: boolean
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  dirty: boolean
  /** The first hundred files whose changes are in no commit. */
  uncommitted: readonly string[]
  /** Why changes are not committed; null if nothing is in the way. */
  obstacle: string | null
  /** The first hundred paths in git whose files are missing. */
  notFetched: readonly NotFetched[]
  /** The first hundred files that are never committed. */
  notCommitted: readonly NotCommitted[]
  remote: RepoRemote
}

/** The remote that the repo is synced with. */
export interface RepoRemote {
  connected: boolean
  url: string | null
  branch: string | null
  /** Commits that the remote is not known to have, also while it is unavailable. */
  ahead: number | null
  unpushed: Unpushed
  behind: number | null
  lastSyncAt: number | null
  /** Why the last sync failed; it is retried automatically. */
  error: string | null
  /** Null without a remote. */
  nextSyncAt: number | null
  syncing: boolean
  /** Both sides changed the same place, and a person has to choose. */
  conflict: Conflict | null
  /** A change of the remote that waits for a confirmation. */
  held: Held | null
}

export const conflictKinds = ['edits', 'rewritten'] as const

/** Both sides changed the same place; nothing is taken until a person has chosen. */
export interface Conflict {
  /** `rewritten` if the remote's history no longer contains the last synced commit. */
  kind: (typeof conflictKinds)[number]
  ours: string
  theirs: string
  /** The remote branch that our side was pushed to; null while that fails. */
  sideBranch: string | null
  files: ConflictFile[]
}

/** A change of the remote that waits for a confirmation. */
export interface Held {
  ours: string
  theirs: string
  /** Ids of the jobs that it would remove, out of `of`. */
  removes: string[]
  of: number
  /** The earlier choice, if there was a conflict. */
  pick: Side | null
}

/** The remote in the status of the repo. */
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
