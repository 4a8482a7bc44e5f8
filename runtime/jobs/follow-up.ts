import type { RunStatus } from '../contract.ts'
import type { JobSpec } from './manifest.ts'

/** What a run is given, and what becomes of it, as its job said when it was due. It is kept with the run. */
export type RunPolicy = Pick<JobSpec, 'retry' | 'onInterrupt' | 'concurrencyKey'> &
  /** Runs of an older program have none of these. */
  Partial<Pick<JobSpec, 'secrets' | 'catchUp' | 'catchUpWindow' | 'memory'>>

/** A job that takes its instance down with it must not do so for ever. */
const mostReruns = 3

export function policyOf(job: JobSpec): RunPolicy {
  const { retry, onInterrupt, concurrencyKey, secrets, catchUp, catchUpWindow, memory } = job
  return { retry, onInterrupt, concurrencyKey, secrets, catchUp, catchUpWindow, memory }
}

/** A slot that comes up later than this says so, and was missed unless its job catches up. */
export const lateMs = 5000

/**
 * Whether a run that never started, because its runtime ended while it waited its turn, may still start: by the same
 * rule that its slot would be caught up by. One by hand has a day.
 */
export function mayStillStart(
  run: { slot: number | null; queuedAt: number; policy: RunPolicy | null },
  now: number,
): boolean {
  const { catchUp = 'latest', catchUpWindow = 86_400_000 } = run.policy ?? {}
  if (run.slot === null) return now - run.queuedAt <= 86_400_000
  return now - run.slot <= (catchUp === 'none' ? lateMs : catchUpWindow)
}

/** When the next attempt after one that ended so may start; null when there is none. */
export function nextAttemptAt(
  run: { attempt: number; policy: RunPolicy | null },
  status: RunStatus,
  now: number,
  random: () => number = Math.random,
): number | null {
  const { attempt, policy } = run
  if (!policy) return null
  const { retry, onInterrupt } = policy
  if (status === 'interrupted') {
    return onInterrupt === 'rerun' && attempt < Math.max(retry?.attempts ?? 1, mostReruns + 1) ? now : null
  }
  if ((status !== 'failed' && status !== 'timed_out') || !retry || attempt >= retry.attempts) return null
  const delay = Math.min(retry.maxDelay, retry.delay * retry.factor ** (attempt - 1))
  return now + Math.round(delay * (1 + retry.jitter * (2 * random() - 1)))
}
