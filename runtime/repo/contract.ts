import type { ConflictFile, Side } from '../git/merge/sync-protocol.ts'
import type { CommitWords, Unpushed } from '../git/work-tree/protocol.ts'
import type { NotCommitted, NotFetched } from '../git/work-tree/work-tree-scan.ts'
import type { RepoFiles } from './files.ts'
import type { FolderList } from './folder-list.ts'
import type { History } from './history.ts'
import type { RawFiles } from './raw-files.ts'

export { uneditable } from './file-path.ts'
export { fileChanged, largestFileBytes, type RepoFile, type RepoFiles, unknownFile } from './files.ts'
export type { FolderEntry, FolderList } from './folder-list.ts'
export type { History } from './history.ts'
export type { CommitDetails, CommitInfo, FileChange } from './history-protocol.ts'
export { jobsFolder, repoObstacle, unknownCommit } from './problems.ts'
export { type OpenFile, type RawFiles, refuseLongUpload, uploadLimitBytes } from './raw-files.ts'

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

/** Both sides changed the same; nothing is taken over until a person has picked. */
export interface Conflict {
  /** `rewritten` when the remote's history no longer holds what was synced before. */
  kind: 'edits' | 'rewritten'
  ours: string
  theirs: string
  /** Where on the remote our side was pushed to; null while it could not be. */
  sideBranch: string | null
  files: ConflictFile[]
}

/** A change of the remote that waits until somebody says that it is meant. */
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

/** The jobs repo: its state, its commits and its files. */
export interface RepoService {
  /** The repo with what is known of its remote. */
  status(): Promise<RepoStatus>
  /** Makes the git repository where there is none. Rejects in words when that cannot be done. */
  ensure(): Promise<void>
  /** Makes the git repository of a new volume in the background, once its starter jobs are live: they need none. */
  completeNew(): void
  /** Makes the jobs repo where there is none, starter files included. Throws the Problem `jobs-folder` when its folder cannot be used. */
  init(): Promise<void>
  /** Why the folder of the jobs repo cannot be used, in words; null when it can. */
  folderFault(): string | null
  /**
   * First half of a commit: takes everything that changed; or, of another commit, all in which that differs from HEAD.
   * Returns what was in the way, or null.
   */
  stage(options?: { like: string }): Promise<string | null>
  /** Second half: commits what was staged. Returns HEAD. */
  commit(words?: CommitWords): Promise<string | null>
  /** Starts the git program in advance, because it is about to be needed. */
  warmUp(): void
  /** Puts the types of `longhouse/jobs` where editors find them. */
  offerSdk(): void
  files: RepoFiles
  rawFiles: RawFiles
  /** What lies in a folder of the jobs repo, '' for the repo itself. Throws `unknown-file` or `refused-path`. */
  folder(path: string): FolderList
  history: History
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    repo: RepoService
  }
  interface Hooks {
    /** Changes whenever the files did; what is known of them is worth something until then. */
    'tree-stamp': () => string
    /** The remote that the repo is synced with; null without one. */
    'remote-status': () => RemoteStatus | null
  }
}
