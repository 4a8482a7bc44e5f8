import type { LoadLimits } from './live-set/loader.ts'
import type { Retention } from './runs/retention.ts'
import type { RunLimits } from './runs/run-queue.ts'
import type { DrainLimits } from './slots/schedule.ts'

/** What tests set differently. */
export interface JobsTuning {
  runs?: Partial<RunLimits>
  load?: Partial<LoadLimits>
  keep?: Partial<Retention>
  /** Additional environment variables of runs. */
  env?: Record<string, string>
  /** Receives the run-once functions, for a test that moves the clock. The schedule then does not run by itself. */
  takeControl?: (controls: JobsControls) => void
}

export interface JobsControls {
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Records the ends of runs that could not be recorded when they happened. */
  reconcile(): void
  /** Deletes the history beyond its limits. */
  prune(): Promise<void>
  /** Retries the installation of packages whose registry did not answer, when that is due. */
  retryPackages(): Promise<void>
  drain(limits: DrainLimits): Promise<void>
  /** Ends the responses that follow a log or wait for the end of a run. */
  endOpenResponses(): void
}
