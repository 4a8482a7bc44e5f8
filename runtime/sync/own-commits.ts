/** Distinguishes commits that a sync makes or takes from all others: only the others start a sync. */
export interface OwnCommits {
  /** Announces that a sync takes this commit. */
  take(commit: string): void
  /** Runs a load for a sync. Its commits are part of that sync. */
  whileLoading(load: () => Promise<unknown>): Promise<void>
  /** True if a commit made here should start a sync. */
  callsForSync(commit: string): boolean
}

export function createOwnCommits(): OwnCommits {
  let last: string | null = null
  let loading = false
  return {
    take: commit => {
      last = commit
    },
    whileLoading: async load => {
      loading = true
      try {
        await load()
      } finally {
        loading = false
      }
    },
    callsForSync: commit => {
      if (commit === last) return false
      last = commit
      return !loading
    },
  }
}
