/** What the git program is asked. */
export type GitRequest = { id: number; dir: string } & (
  | { op: 'init' }
  | { op: 'status' }
  /** Commits everything that changed; `message` overrides the one made from the changes. */
  | { op: 'commit'; message: string | null }
)

export type GitAnswer = { id: number } & ({ ok: GitState } | { error: string })

export interface GitState {
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  /** Changed files, relative to the repo, that are not committed. */
  dirty: string[]
  /** Why a commit that was asked for was not made; null when it was made or nothing had changed. */
  refused: string | null
  /** The first remote, `origin` before others, without credentials. */
  remote: { url: string; branch: string | null } | null
}
