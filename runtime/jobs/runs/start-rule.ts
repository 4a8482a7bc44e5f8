import { timestamp } from '../../../src/clock.ts'
import type { RunRow } from './run-record.ts'

/** A run that waits, as far as the order of starting is concerned. */
export interface QueuedRun {
  row: Pick<RunRow, 'jobId' | 'policy'>
  /** Must not start before this reading of the monotonic clock. */
  startsAt: number
  /** Must not run beside another run of its job. Runs that a person or a script asked for may. */
  serial: boolean
}

/** What is known about the queue when a run is to start. */
export interface QueueFacts {
  /** A reading of the monotonic clock. */
  monotonic: number
  stopping: boolean
  running: number
  /** The most runs that may be in progress at the same time. */
  concurrent: number
  keysInUse: ReadonlySet<string>
  /** The id of a run of the job that is in progress; null when there is none. */
  runInProgress(jobId: string): string | null
}

/** What keeps a queued run from starting. */
export type Obstacle = 'stopping' | 'not-due' | 'same-job' | 'same-key' | 'no-room'

/**
 * Decides whether a queued run may start, and returns what is in the way; null when it may. It may start when
 *
 * 1. the instance is not stopping,
 * 2. its time has come: another attempt waits for its delay,
 * 3. no run of its job is in progress, if it is serial,
 * 4. no run with its concurrency key is in progress,
 * 5. fewer runs than the maximum are in progress.
 */
export function obstacleTo({ row, startsAt, serial }: QueuedRun, queue: QueueFacts): Obstacle | null {
  if (queue.stopping) return 'stopping'
  if (startsAt > queue.monotonic) return 'not-due'
  if (serial && queue.runInProgress(row.jobId) !== null) return 'same-job'
  if (queue.keysInUse.has(keyOf(row))) return 'same-key'
  return queue.running >= queue.concurrent ? 'no-room' : null
}

/** Returns the position of the first queued run that may start; -1 when none may. */
export function nextToStart(queued: readonly QueuedRun[], queue: QueueFacts): number {
  if (queue.running >= queue.concurrent) return -1
  return queued.findIndex(run => obstacleTo(run, queue) === null)
}

/** Returns the queued runs in the order in which they are to start: those that are due first. */
export function inStartOrder<Run extends QueuedRun>(queued: readonly Run[], monotonic: number): Run[] {
  const later = ({ startsAt }: Run) => (startsAt <= monotonic ? 0 : startsAt)
  return queued.toSorted((a, b) => later(a) - later(b))
}

/** Says why a queued run waits. `now` is wall-clock time. */
export function waitReason(run: QueuedRun, queue: QueueFacts, now: number): string {
  switch (obstacleTo(run, queue)) {
    case 'stopping':
      return 'the instance is stopping; this run starts when it is back'
    case 'not-due':
      return `this is a retry, due at ${timestamp(now + Math.ceil(run.startsAt - queue.monotonic))}`
    case 'same-job':
      return `the run ${queue.runInProgress(run.row.jobId)} of the same job has not ended`
    case 'same-key':
      return `another run with the concurrency key "${keyOf(run.row)}" has not ended`
    default:
      return `${queue.concurrent} runs are in progress, the maximum; this one is queued`
  }
}

/** The concurrency key of a run; '' for none, which is never in use. */
export function keyOf({ policy }: Pick<RunRow, 'policy'>): string {
  return policy?.concurrencyKey ?? ''
}
