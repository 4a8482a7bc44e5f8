/** Which of the due times missed meanwhile run later. */
export const catchUps = ['none', 'latest', 'all'] as const

/** What to do when a run is due while another one of its job is active. */
export const overlaps = ['skip', 'queue', 'replace'] as const

/** What to do after a restart with a run that it interrupted. */
export const interruptRules = ['fail', 'rerun'] as const
