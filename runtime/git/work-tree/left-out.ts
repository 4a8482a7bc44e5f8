export const notFetchedKinds = ['submodule', 'lfs', 'packages'] as const

/** In git, and not in the files as it should be. */
export interface NotFetched {
  path: string
  kind: (typeof notFetchedKinds)[number]
}

export const notCommittedKinds = ['name', 'repository', 'environment'] as const

/** In the files, and never in git. */
export interface NotCommitted {
  path: string
  /** A name that git refuses, a repository of its own, or a file of secrets such as `.env`. */
  kind: (typeof notCommittedKinds)[number]
}
