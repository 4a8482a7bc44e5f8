import type { Run } from '../jobs/contract.ts'

const jobIncidentKinds = ['failing', 'too-long', 'overdue', 'no-next-slot'] as const
export type JobIncidentKind = (typeof jobIncidentKinds)[number]

/** Problems of the whole instance: its code, its packages, its remote, its scheduler. */
const instanceIncidentKinds = ['manifest', 'packages', 'sync', 'conflict', 'held', 'scheduler'] as const
export type InstanceIncidentKind = (typeof instanceIncidentKinds)[number]

export const incidentKinds = [...jobIncidentKinds, ...instanceIncidentKinds] as const
export type IncidentKind = (typeof incidentKinds)[number]

/** A current problem. */
export interface Finding {
  /** '' for a problem of the instance. */
  jobId: string
  kind: IncidentKind
  /** A sentence for people. */
  detail: string
  /** The run with the problem. */
  run?: Run
  /** Not decided yet: keeps an open incident open, and opens none. */
  undecided?: true
  /** Report only after it has lasted this many milliseconds; at once by default. */
  patienceMs?: number
}

/** Identifies what a finding and an incident are about. */
export type About = Pick<Finding, 'jobId' | 'kind'>
