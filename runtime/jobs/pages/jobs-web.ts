import type { Clock } from '../../../src/clock.ts'
import type { Access } from '../../auth/contract.ts'
import type { Packages } from '../../packages/contract.ts'
import type { JobsService } from '../contract.ts'

/** What the routes of the jobs depend on. */
export interface JobsWeb {
  jobs: JobsService
  packages: Packages
  access: Access
  clock: Clock
  /** The folder of the jobs repo. */
  repoFolder: string
  /** The instance's address, for examples. */
  address: string
  /** Aborts when the program stops, to end open responses. */
  stopping: AbortSignal
}
