import type { Author } from '../authors.ts'

/** Requests to the sync program. Object ids are full hexadecimal. */
export type SyncQuestion =
  /** Whether this token may read the repository, and write to it. */
  | { op: 'verify'; remote: RemoteAddress }
  /** Fetches the remote’s branch. */
  | { op: 'fetch'; remote: RemoteAddress; branch: string }
  | { op: 'plan'; request: PlanRequest }
  /** Writes a commit's files into an empty folder. */
  | { op: 'scratch'; commit: string; folder: string }
  /** Moves the work tree, the index and the branch from one commit to another. */
  | { op: 'checkout'; branch: string; from: string; to: string }
  /** Finishes or undoes a checkout that was killed. */
  | { op: 'recover' }
  | { op: 'push'; remote: RemoteAddress; commit: string; branch: string }

export interface RemoteAddress {
  /** Without credentials. */
  url: string
  username: string
  token: string
  /** Time limit of one request. */
  limitMs: number
}

export interface PlanRequest {
  /** The local branch to sync. */
  branch: string
  /** The fetched head of the remote branch; null while there is no such branch. */
  theirs: string | null
  /** The remote’s head after the last sync; null before the first. */
  last: string | null
  /** The side that a person chose for conflicting files. */
  pick: Side | null
  /** Who chose; null without a choice. */
  by: Author | null
  /** The commit of the starter files: a repo with only these takes whatever the remote has. */
  template: string
}

export const sides = ['ours', 'theirs'] as const
export type Side = (typeof sides)[number]

export interface Plan {
  kind:
    | 'same'
    /** We have all their commits. */
    | 'ahead'
    /** They have all our commits, or we have only the starter files. */
    | 'behind'
    | 'merged'
    /** Both sides changed the same place; `files` lists where. */
    | 'conflict'
    /** The remote’s history does not contain the last synced commit. */
    | 'rewritten'
  ours: string
  /** The commit that both sides should reach; our own head while a person has to decide. */
  target: string
  /** Number of commits that only one side has. */
  ahead: number
  behind: number
  /** True if no file of ours is lost except starter files. */
  adopts: boolean
  files: ConflictFile[]
}

export interface ConflictFile {
  path: string
  /** Null if that side has no such file, or the file is not text. */
  ours: string | null
  theirs: string | null
}

export interface Verified {
  branches: string[]
  /** The remote’s default branch; null while it is empty. */
  defaultBranch: string | null
}

export interface Fetched {
  /** Null if there is no such branch. */
  head: string | null
  branches: string[]
}

/**
 * The result of a checkout. `refused` says what was in the way; then nothing was changed. `stale` means that the
 * branch has moved on; `edited` is a file with an edit that is in no commit.
 */
export type CheckedOut =
  | { done: true }
  | { done: false; refused: string; stale: boolean; edited: string | null }

export interface SyncAnswers {
  verify: Verified
  fetch: Fetched
  plan: Plan
  scratch: null
  checkout: CheckedOut
  recover: null
  push: { pushed: boolean }
}

export type SyncRequest = SyncQuestion & { id: number; dir: string }
export type SyncReply = { id: number } & ({ ok: SyncAnswers[keyof SyncAnswers] } | { error: string })
