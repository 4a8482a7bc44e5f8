export const notFetchedKinds = ['submodule', 'lfs', 'packages'] as const

/** A file in git whose content is missing here. */
export interface NotFetched {
  path: string
  kind: (typeof notFetchedKinds)[number]
}

export const notCommittedKinds = ['name', 'repository', 'environment'] as const

/** A file here that is never committed. */
export interface NotCommitted {
  path: string
  /** `name` for a name that git refuses, `environment` for a file of secrets such as `.env`, otherwise a nested repository. */
  kind: (typeof notCommittedKinds)[number]
}
