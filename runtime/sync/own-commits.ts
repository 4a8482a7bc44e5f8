/** Tells commits that a sync itself makes or takes from all others: only those call for another sync. */
export interface OwnCommits {
  /** A sync is about to take this commit. */
  take(commit: string): void
  /** Runs a load that a sync asked for. What it commits is part of that sync. */
  whileLoading(load: () => Promise<unknown>): Promise<void>
  /** Whether a commit that was just made here calls for a sync. */
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
