import type { Destination } from '../manifest/notify.ts'
import type { RunDetail } from './run-detail.ts'

/** The content of a notice, for people and for programs. */
export interface MessageContent {
  /** `job.failing`, `job.recovered`, `slots.missed`, `test` … */
  type: string
  subject: string
  /** The complete message as plain text. */
  text: string
  jobId: string | null
  incidentId: string | null
  /** The page with details; null if the instance’s public address is not set. */
  url: string | null
  at: number
  /** The job’s own recipients, if it names any. */
  to?: Destination
  /** What happened, without the address and the run's details; missing in messages of older versions. */
  summary?: string
  /** True for a recovery, or for a message that reports no problem. */
  good?: boolean
  /** The run with the problem. */
  run?: RunDetail
  /** How many reminders were sent, including this one. */
  reminder?: number
}
