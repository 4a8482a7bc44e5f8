import type { Readable } from 'node:stream'
import { defineProblem } from '../../src/http/problem.ts'
import type { Discarded } from '../git/work-tree/discard.ts'
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
export const noEdit = defineProblem('no-edit', 404, 'The file has no uncommitted edit')
export const uneditable = defineProblem('uneditable', 415, 'This file cannot be edited here')

/** The largest file that can be edited. */
export const largestFileBytes = 512 * 1024
/** The largest file that can be uploaded. */
export const uploadLimitBytes = 50 * 1024 * 1024

export interface ListedFile {
  path: string
  sizeBytes: number
  modifiedAt: number
  /** False for a link and for a file that is too large. */
  editable: boolean
}

export interface RepoFile {
  path: string
  content: string
  /** Hash of the content. */
  hash: string
}

/**
 * The jobs repo’s files, for editors outside the repo. Paths are relative with slashes. Refuses paths that lead out
 * of the repo, into git or into packages, and links, because a job could have put them there.
 */
export interface RepoFiles {
  /** By path; `more` if there are too many to list. */
  list(): { files: ListedFile[]; more: boolean }
  read(path: string): RepoFile
  /** Throws if no file may be at this path. */
  accept(path: string): void
  /** Throws if no file may have this path, whatever is there now. */
  acceptName(path: string): void
  /**
   * Replaces a file, or creates it with its folders. `basedOn` is the hash that the change was made from, null for a
   * file that must be new; if omitted, any file is replaced. Throws `file-changed`.
   */
  write(path: string, content: string, basedOn?: string | null): RepoFile
  remove(path: string, basedOn?: string): void
  rename(from: string, to: string, basedOn?: string): void
}

/** A file on the disk. It stays open until it is read or `close` is called. */
export interface OpenFile {
  sizeBytes: number
  modifiedAt: number
  /** Changes with the file. */
  tag: string
  /** Reads the bytes from `start` to `end`, both included; closes the file at its end. */
  read(range?: { start: number; end: number }): Readable
  close(): void
}

export interface ReceivedFile {
  /** Moves it into the repo; throws `file-exists` unless it may replace a file. */
  place(options: { replace: boolean }): void
  /** Deletes it unless it was placed. */
  discard(): Promise<void>
}

/** The files of `RepoFiles` with any content. */
export interface RawFiles {
  open(path: string): OpenFile
  /** Receives a file of at most `limitBytes`; throws `too-large` if it is larger. */
  receive(path: string, body: AsyncIterable<Uint8Array>, limitBytes?: number): Promise<ReceivedFile>
  /** Throws `too-large` for the announced length of an upload (`Content-Length`), before reading it. */
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
  /** True if there are more than listed. */
  more: boolean
}

export interface CommitInfo {
  commit: string
  /** The complete message. */
  message: string
  at: number
  author: string
  authorEmail: string
  /** Committed by this instance. */
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

/** A file with an edit that is in no commit. */
export interface UncommittedFile extends FileChange {
  /** Names the content of the edit; null for a deleted file. */
  hash: string | null
}

export interface CommitDetails extends CommitInfo {
  /** The changes from its first parent. */
  files: FileChange[]
  /** True if it changed more files than are listed. */
  more: boolean
}

/** A file as it was in a commit. */
export interface CommittedFile {
  sizeBytes: number
  /** A symbolic link, whose content is where it leads. */
  link: boolean
  /** Null for a file of more than `largestCommittedBytes`. */
  content: Buffer | null
}

/** The largest file of a commit that is shown or downloaded. */
export const largestCommittedBytes = 8 * 1024 * 1024

export interface HistoryAnswers {
  list: { commits: CommitInfo[]; more: boolean }
  show: CommitDetails | null
  /** `content` in base64. */
  file: (Omit<CommittedFile, 'content'> & { content: string | null }) | null
  restore: {
    found: boolean
    /** A path with uncommitted content in the way: then nothing was changed. */
    inTheWay: string | null
  }
  uncommitted: {
    files: UncommittedFile[]
    /** True if more files than these have edits. */
    more: boolean
    /** Why the files cannot be compared with the commits; then none are listed. */
    obstacle: string | null
  }
  discard: Discarded
}

/** The commits of the jobs repo, newest first. */
export interface History {
  /** `before` is the commit after which the list continues. */
  list(limit: number, before?: string): Promise<HistoryAnswers['list']>
  /** Null if there is no such commit. */
  show(commit: string): Promise<HistoryAnswers['show']>
  /** Null if there is no such commit, or no such file in it. */
  file(commit: string, path: string): Promise<CommittedFile | null>
  /** The edits that are in no commit. */
  uncommitted(): Promise<HistoryAnswers['uncommitted']>
  /** Makes a file what it is in the last commit, unless its content is no longer the one that `hash` names. */
  discard(path: string, hash: string | null): Promise<HistoryAnswers['discard']>
  /** Makes the files those of the commit, all or none, without committing. */
  restore(commit: string): Promise<HistoryAnswers['restore']>
}

/** The jobs repo: its state, its commits and its files. */
export interface RepoService {
  /** The state of the repo, with that of its remote. */
  status(): Promise<RepoStatus>
  /** Creates the git repository if there is none. Rejects if that fails, with the reason. */
  ensure(): Promise<void>
  /**
   * Creates the git repository of a new volume in the background, after its starter jobs are live: they do not need
   * it.
   */
  completeNew(): void
  /**
   * Creates the jobs repo with the starter files if there is none. Throws the Problem `jobs-folder` if its folder
   * cannot be used.
   */
  init(): Promise<void>
  /** Returns why the folder of the jobs repo cannot be used; null if it can. */
  folderFault(): string | null
  /**
   * First half of a commit: stages all changes; with `like`, all differences from HEAD to that commit. Returns what
   * was in the way, or null.
   */
  stage(options?: { like: string }): Promise<string | null>
  /** Second half: commits what was staged. Returns HEAD. */
  commit(words?: CommitWords): Promise<string | null>
  /** Writes the types of `longhouse/jobs` where editors find them. */
  offerSdk(): void
  files: RepoFiles
  rawFiles: RawFiles
  /** Lists a folder of the jobs repo, '' for the repo itself. Throws `unknown-file` or `refused-path`. */
  folder(path: string): FolderList
  history: History
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    repo: RepoService
  }
  interface Hooks {
    /** Changes with the files: results computed from them are valid until then. */
    'tree-stamp': () => string
    /** The remote that the repo is synced with; null without one. */
    'remote-status': () => RemoteStatus | null
  }
}
