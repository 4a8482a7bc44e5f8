import type { Author } from '../authors.ts'

/** What the sync program is asked. Object ids are full hexadecimal. */
export type SyncQuestion =
  /** Whether this token may read the repository, and write to it. */
  | { op: 'verify'; remote: RemoteAddress }
  /** Brings the remote's branch here. */
  | { op: 'fetch'; remote: RemoteAddress; branch: string }
  | { op: 'plan'; request: PlanRequest }
  /** Writes a commit's files into an empty folder. */
  | { op: 'scratch'; commit: string; folder: string }
  /** Takes the work tree, the index and the branch from one commit to another. */
  | { op: 'checkout'; branch: string; from: string; to: string }
  /** Finishes or undoes a checkout that was killed. */
  | { op: 'recover' }
  | { op: 'push'; remote: RemoteAddress; commit: string; branch: string }

export interface RemoteAddress {
  /** Without credentials. */
  url: string
  username: string
  token: string
  /** The longest that one request may take. */
  limitMs: number
}

export interface PlanRequest {
  /** The local branch that is synced. */
  branch: string
  /** The remote branch's head, which was fetched; null while there is no such branch. */
  theirs: string | null
  /** The remote's head as it was after the last sync; null before the first. */
  last: string | null
  /** What somebody chose where both changed the same. */
  pick: Side | null
  /** Who chose; null when nobody had to. */
  by: Author | null
  /** The starter files: a repo that holds just these gives way to whatever the remote has. */
  template: string
}

export type Side = 'ours' | 'theirs'

export interface Plan {
  kind:
    | 'same'
    /** We have all that they have. */
    | 'ahead'
    /** They have all that we have, or we have only the starter files. */
    | 'behind'
    | 'merged'
    /** Both changed the same; `files` shows it. */
    | 'conflict'
    /** The remote's history does not contain what was synced last. */
    | 'rewritten'
  ours: string
  /** What both are to become; our own head while that is for a person to say. */
  target: string
  /** Commits that only one side has. */
  ahead: number
  behind: number
  /** True when nothing of ours goes but starter files. */
  adopts: boolean
  files: ConflictFile[]
}

export interface ConflictFile {
  path: string
  /** Null when that side has no such file, or it is no text. */
  ours: string | null
  theirs: string | null
}

export interface Verified {
  branches: string[]
  /** The branch that the remote calls its own; null while it is empty. */
  defaultBranch: string | null
}

export interface Fetched {
  /** Null when there is no such branch. */
  head: string | null
  branches: string[]
}

/** `refused` says in words what was in the way; nothing was changed then. With `stale`, the branch has moved on. */
export type CheckedOut = { done: true } | { done: false; refused: string; stale: boolean }

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
