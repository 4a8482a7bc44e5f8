import type { Readable } from 'node:stream'
import { defineProblem } from '../../src/http/problem.ts'
import type { CommitWords } from '../git/work-tree/protocol.ts'
import type { Hunk } from './line-diff.ts'
import type { RemoteStatus, RepoStatus } from './status.ts'

export type { Conflict, Held, RemoteStatus, RepoRemote, RepoStatus } from './status.ts'
export { repoJson, repoShape } from './wire.ts'

export const jobsFolder = defineProblem('jobs-folder', 409, 'The jobs folder cannot be used')
export const unknownCommit = defineProblem('unknown-commit', 404, 'No such commit')
export const repoObstacle = defineProblem('repo-obstacle', 409, 'Nothing can be committed to the jobs repo')
export const unknownFile = defineProblem('unknown-file', 404, 'No such file')
export const fileChanged = defineProblem('file-changed', 409, 'The file was changed meanwhile')
export const uneditable = defineProblem('uneditable', 415, 'This file cannot be edited here')

/** The largest file that can be edited. */
export const largestFileBytes = 512 * 1024
/** The largest file that can be uploaded. */
export const uploadLimitBytes = 50 * 1024 * 1024

export interface ListedFile {
  path: string
  sizeBytes: number
  modifiedAt: number
  /** False for a link and for what is too large. */
  editable: boolean
}

export interface RepoFile {
  path: string
  content: string
  /** Of its content: the same hash is the same text. */
  hash: string
}

/**
 * The jobs repo’s files, for editors outside the repo. Paths are relative with slashes. Refuses paths that lead out
 * of the repo, into git or into packages, and links, because a job could have put them there.
 */
export interface RepoFiles {
  /** By path; `more` when there are too many to list. */
  list(): { files: ListedFile[]; more: boolean }
  read(path: string): RepoFile
  /** Throws where no file may be. */
  accept(path: string): void
  /**
   * Replaces a file whole, or makes it with its folders. `basedOn` is the hash that the change was made from, null for
   * a file that must be new; when it is left out, whatever is there is replaced. Throws `file-changed`.
   */
  write(path: string, content: string, basedOn?: string | null): RepoFile
  remove(path: string, basedOn?: string): void
  rename(from: string, to: string, basedOn?: string): void
}

/** A file as it lies on the disk. It stays open until it was read or `close` is called. */
export interface OpenFile {
  sizeBytes: number
  modifiedAt: number
  /** Changes whenever the file does. */
  tag: string
  /** Its bytes from `start` to `end`, both included; closes the file at its end. */
  read(range?: { start: number; end: number }): Readable
  close(): void
}

export interface ReceivedFile {
  /** Puts it into the repo, whole; throws `file-exists` unless it may replace what is there. */
  place(options: { replace: boolean }): void
  /** Deletes what was not placed. */
  discard(): Promise<void>
}

/** The same files as `RepoFiles`, whatever they hold. */
export interface RawFiles {
  open(path: string): OpenFile
  /** Takes in a file of at most `limitBytes`; throws `too-large` when it holds more. */
  receive(path: string, body: AsyncIterable<Uint8Array>, limitBytes?: number): Promise<ReceivedFile>
  /** Throws `too-large` for the announced length of an upload (`Content-Length`), before any of it is read. */
  refuseLong(announced: string | undefined): void
}

export const entryKinds = ['folder', 'file', 'link', 'other'] as const

/** One entry of a folder of the jobs repo; its path is relative to the repo. */
export interface FolderEntry {
  path: string
  kind: (typeof entryKinds)[number]
  sizeBytes: number
  modifiedAt: number
}

export interface FolderList {
  entries: FolderEntry[]
  /** There are more than are listed. */
  more: boolean
}

export interface CommitInfo {
  commit: string
  /** Whole. */
  message: string
  at: number
  author: string
  authorEmail: string
  /** Committed by this instance, and not elsewhere. */
  madeHere: boolean
}

export const fileChangeKinds = ['added', 'removed', 'changed'] as const

export interface FileChange {
  path: string
  kind: (typeof fileChangeKinds)[number]
  hunks: Hunk[]
  /** Why no lines are shown. */
  note: string | null
}

export interface CommitDetails extends CommitInfo {
  /** What it changed of its first parent. */
  files: FileChange[]
  /** True if it changed more files than are listed. */
  more: boolean
}

export interface HistoryAnswers {
  list: { commits: CommitInfo[]; more: boolean }
  show: CommitDetails | null
  restore: {
    found: boolean
    /** Something that is in no commit, in the place of one of its files: then nothing was changed. */
    inTheWay: string | null
  }
}

/** What was committed in the jobs repo, newest first. */
export interface History {
  /** `before` is the commit after which the list goes on. */
  list(limit: number, before?: string): Promise<HistoryAnswers['list']>
  /** Null when there is no such commit. */
  show(commit: string): Promise<HistoryAnswers['show']>
  /** Makes the files those of the commit, or changes none, and commits nothing. */
  restore(commit: string): Promise<HistoryAnswers['restore']>
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
