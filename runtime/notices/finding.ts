import type { Run } from '../jobs/contract.ts'

const jobIncidentKinds = ['failing', 'too-long', 'overdue', 'no-next-slot'] as const
export type JobIncidentKind = (typeof jobIncidentKinds)[number]

/** What can be wrong with the instance as a whole: its code, its packages, its remote, its scheduler. */
const instanceIncidentKinds = ['manifest', 'packages', 'sync', 'conflict', 'held', 'scheduler'] as const
export type InstanceIncidentKind = (typeof instanceIncidentKinds)[number]

export const incidentKinds = [...jobIncidentKinds, ...instanceIncidentKinds] as const
export type IncidentKind = (typeof incidentKinds)[number]

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
  /** Report only after it has lasted this many milliseconds; at once by default. */
  patienceMs?: number
}

/** Identifies what a finding and an incident are about. */
export type About = Pick<Finding, 'jobId' | 'kind'>
