import type { Destination } from '../manifest/notify.ts'
import type { RunDetail } from './run-detail.ts'

/** What is told, for people and for programs. */
export interface MessageContent {
  /** `job.failing`, `job.recovered`, `slots.missed`, `test` … */
  type: string
  subject: string
  /** All of it, as plain text. */
  text: string
  jobId: string | null
  incidentId: string | null
  /** Of the page that shows more; null when nobody said how people reach the instance. */
  url: string | null
  at: number
  /** When the job says itself who is told. */
  to?: Destination
  /** What happened, without the address and the details of the run; messages of older versions have none. */
  summary?: string
  /** True when something is well again, or was never wrong. */
  good?: boolean
  /** The run that shows what is wrong. */
  run?: RunDetail
  /** How often it was told again, with this one. */
  reminder?: number
}
