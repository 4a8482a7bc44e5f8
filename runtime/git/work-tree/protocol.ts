import type { Author } from '../authors.ts'
import type { NotCommitted, NotFetched } from './left-out.ts'

/** Requests to the git program. */
export type GitRequest = {
  id: number
  dir: string
} /** Creates the repo. If it starts with the starter files, its first commit contains exactly these. */ & (
  | { op: 'init'; starter: boolean }
  | { op: 'status'; remote: KnownRemote | null }
  /** Stages every changed file; with `like`, all differences from HEAD to that commit. */
  | { op: 'stage'; like?: string }
  /** Commits what was staged last. */
  | ({ op: 'commit' } & CommitWords)
)

export interface CommitWords {
  /** The first line, instead of one that names the files. */
  subject?: string | undefined
  /** Text at the end of the message. */
  note?: string | undefined
  /** The authors of the changes, the last one first; Longhouse if none is named. */
  authors?: readonly Author[] | undefined
}

/** The remote that this repo is synced with. */
export interface KnownRemote {
  /** The last commit it is known to have; null if none. */
  synced: string | null
}

export type GitAnswer = { id: number } & ({ ok: GitState } | { error: string })

export interface GitState {
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  /** Changed, uncommitted files, relative to the repo. */
  dirty: string[]
  /** Why staging failed; null if it succeeded or nothing had changed. */
  refused: string | null
  /** What keeps changes from being committed. If there is too much to scan, `dirty` is unknown. */
  obstacle: string | null
  /** The first remote, `origin` preferred, without credentials. */
  remote: { url: string; branch: string | null } | null
  /** The first hundred paths in git whose files are missing. */
  notFetched: NotFetched[]
  /** The first hundred files that stay out of git. */
  notCommitted: NotCommitted[]
  /** Commits that the remote is not known to have; none without a remote. */
  unpushed: Unpushed
}

export interface Unpushed {
  /** Counts to a thousand. */
  count: number
  /** The newest of them. */
  commits: { commit: string; message: string; at: number; author: string }[]
}
