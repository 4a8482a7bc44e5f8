import type { Author } from '../authors.ts'
import type { NotCommitted, NotFetched } from './left-out.ts'

/** What the git program is asked. */
export type GitRequest = {
  id: number
  dir: string
} /** Makes the repo; its first commit holds the starter files and nothing else, if they are what it begins with. */ & (
  | { op: 'init'; starter: boolean }
  | { op: 'status'; remote: KnownRemote | null }
  /** Takes every file that changed; or, of another commit, all in which that differs from HEAD. */
  | { op: 'stage'; like?: string }
  /** Commits what `stage` put there last. */
  | ({ op: 'commit' } & CommitWords)
)

export interface CommitWords {
  /** The first line, where it shall not name the files. */
  subject?: string | undefined
  /** Stands at the end. */
  note?: string | undefined
  /** The authors of the changes, the last one first; Longhouse if none is named. */
  authors?: readonly Author[] | undefined
}

/** The remote that this repo is synced with. */
export interface KnownRemote {
  /** The last commit that it is known to have; null when none is. */
  synced: string | null
}

export type GitAnswer = { id: number } & ({ ok: GitState } | { error: string })

export interface GitState {
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  /** Changed files, relative to the repo, that are not committed. */
  dirty: string[]
  /** Why nothing could be staged; null when it could, or nothing had changed. */
  refused: string | null
  /** What keeps changes from being committed. When there is too much to look at, `dirty` is not known. */
  obstacle: string | null
  /** The first remote, `origin` before others, without credentials. */
  remote: { url: string; branch: string | null } | null
  /** The first hundred paths that are in git and not in the files. */
  notFetched: NotFetched[]
  /** The first hundred that are in the files and stay out of git. */
  notCommitted: NotCommitted[]
  /** What the remote is not known to have; nothing without one. */
  unpushed: Unpushed
}

export interface Unpushed {
  /** At most a thousand are counted. */
  count: number
  /** The newest of them. */
  commits: { commit: string; message: string; at: number; author: string }[]
}
