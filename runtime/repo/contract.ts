import type { CommitWords } from '../git/work-tree/protocol.ts'
import type { RepoFiles } from './files.ts'
import type { FolderList } from './folder-list.ts'
import type { History } from './history.ts'
import type { RawFiles } from './raw-files.ts'
import type { RemoteStatus, RepoStatus } from './status.ts'

export { uneditable } from './file-path.ts'
export { fileChanged, largestFileBytes, type RepoFile, type RepoFiles, unknownFile } from './files.ts'
export { entryKinds, type FolderEntry, type FolderList } from './folder-list.ts'
export type { History } from './history.ts'
export { type CommitDetails, type CommitInfo, type FileChange, fileChangeKinds } from './history-protocol.ts'
export { jobsFolder, repoObstacle, unknownCommit } from './problems.ts'
export { type OpenFile, type RawFiles, refuseLongUpload, uploadLimitBytes } from './raw-files.ts'
export type { Conflict, Held, RemoteStatus, RepoRemote, RepoStatus } from './status.ts'
export { repoJson, repoShape } from './wire.ts'

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
