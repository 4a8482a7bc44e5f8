import type { ManifestError } from '../manifest/manifest-error.ts'

export const manifestStatuses = ['ok', 'error', 'loading'] as const
export const manifestWaits = ['packages', 'registry', 'confirmation'] as const

export interface ManifestState {
  /** `loading` only until the first load after boot has ended. */
  status: (typeof manifestStatuses)[number]
  /** The commit of the live set. */
  commit: string | null
  loadedAt: number | null
  errors: ManifestError[]
  /** What the files wait for, if they have no errors; `status` is `error` meanwhile. */
  waitingFor: (typeof manifestWaits)[number] | null
  /** While waiting for the registry, the time of the next retry. */
  nextTryAt: number | null
  /** What the last load changed, or, while waiting for a confirmation, what it would change; null when nothing. */
  difference: JobsDifference | null
  /** The newest difference that went live since boot, however many loads ago. */
  lastChange: JobsDifference | null
}

export interface JobsDifference {
  added: number
  removed: number
  changed: number
  /** The first hundred of them. */
  jobs: JobChange[]
}

export const changeKinds = ['added', 'removed', 'changed'] as const

export interface JobChange {
  id: string
  kind: (typeof changeKinds)[number]
  /** The changed fields of a changed job. */
  fields: string[]
  cron: string
  timezone: string
  nextRunAt: number | null
}
