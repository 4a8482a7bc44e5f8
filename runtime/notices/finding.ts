import type { Run } from '../jobs/contract.ts'

export type JobIncidentKind = 'failing' | 'too-long' | 'overdue' | 'no-next-slot'

/** What can be wrong with the instance as a whole: its code, its packages, its remote, its scheduler. */
export type InstanceIncidentKind = 'manifest' | 'packages' | 'sync' | 'conflict' | 'held' | 'scheduler'

export type IncidentKind = JobIncidentKind | InstanceIncidentKind

export const incidentKinds = [
  'failing',
  'too-long',
  'overdue',
  'no-next-slot',
  'manifest',
  'packages',
  'sync',
  'conflict',
  'held',
  'scheduler',
] as const satisfies readonly IncidentKind[]

/** Something that is wrong now. */
export interface Finding {
  /** '' when it is about the instance and not about one job. */
  jobId: string
  kind: IncidentKind
  /** A sentence for people. */
  detail: string
  /** The run that shows it. */
  run?: Run
  /** It is being looked at: keeps an open incident open, and opens none. */
  undecided?: true
  /** It is told only once it has lasted this long, in milliseconds; at once when not said. */
  patienceMs?: number
}

/** Identifies what a finding and an incident are about. */
export type About = Pick<Finding, 'jobId' | 'kind'>
