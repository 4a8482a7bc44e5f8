/** What the git program is asked. */
export type GitRequest = { id: number; dir: string } & (
  | { op: 'init' }
  | { op: 'status' }
  /** Puts everything that changed into the index. */
  | { op: 'stage' }
  /** Commits what `stage` put there last. */
  | ({ op: 'commit' } & CommitWords)
)

export interface CommitWords {
  /** The first line, where it shall not name the files. */
  subject?: string | undefined
  /** Stands at the end. */
  note?: string | undefined
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
}
