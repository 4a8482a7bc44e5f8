import type { LoadLimits } from './live-set/loader.ts'
import type { Retention } from './runs/retention.ts'
import type { RunLimits } from './runs/run-queue.ts'
import type { DrainLimits } from './slots/schedule.ts'

/** What tests set otherwise than the product does. */
export interface JobsTuning {
  runs?: Partial<RunLimits>
  load?: Partial<LoadLimits>
  keep?: Partial<Retention>
  /** Handed to runs besides what they get anyway. */
  env?: Record<string, string>
  /** Gets the run-once forms, for a test that moves the clock. The schedule then does not go on by itself. */
  drive?: (hands: JobsHands) => void
}

export interface JobsHands {
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Records what could not be recorded when it happened. */
  settle(): void
  /** Forgets the history that is too much. */
  prune(): Promise<void>
  /** Installs packages again whose registry did not answer, when that is due. */
  retryPackages(): Promise<void>
  drain(limits: DrainLimits): Promise<void>
  hangUp(): void
}
