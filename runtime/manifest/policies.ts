/** Which of the due times missed meanwhile run later. */
export const catchUps = ['none', 'latest', 'all'] as const

/** What happens when a run is due while one of the same job is active. */
export const overlaps = ['skip', 'queue', 'replace'] as const

/** What happens after a restart to a run that it interrupted. */
export const interruptRules = ['fail', 'rerun'] as const
