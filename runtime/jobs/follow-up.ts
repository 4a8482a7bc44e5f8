import { pauseMs } from '../../src/backoff.ts'
import type { JobSpec } from '../manifest/manifest.ts'
import type { RunStatus } from './contract.ts'

/** The policies of a job when its run was made, stored with the run. */
export type RunPolicy = Pick<JobSpec, 'retry' | 'onInterrupt' | 'concurrencyKey'> &
  /** Missing in runs of older programs. */
  Partial<Pick<JobSpec, 'secrets' | 'catchUp' | 'catchUpWindow' | 'memory'>>

/** The most reruns of an interrupted run: a job that takes its instance down must not do so forever. */
const mostReruns = 3

export function policyOf(job: JobSpec): RunPolicy {
  const { retry, onInterrupt, concurrencyKey, secrets, catchUp, catchUpWindow, memory } = job
  return { retry, onInterrupt, concurrencyKey, secrets, catchUp, catchUpWindow, memory }
}

/** A slot that comes up later than this is late; without `catchUp` it is missed. */
export const lateMs = 5000

/**
 * Whether a run that was queued when its runtime ended may still start: by the rule that would catch up its slot. A run
 * that a person or a script started has a day.
 */
export function mayStillStart(
  run: { slot: number | null; queuedAt: number; policy: RunPolicy | null },
  now: number,
): boolean {
  const { catchUp = 'latest', catchUpWindow = 86_400_000 } = run.policy ?? {}
  if (run.slot === null) return now - run.queuedAt <= 86_400_000
  return now - run.slot <= (catchUp === 'none' ? lateMs : catchUpWindow)
}

/** Returns when the next attempt after one that ended with `status` may start; null when there is none. */
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
  return now + Math.round(delayAfter(attempt, retry) * (1 + retry.jitter * (2 * random() - 1)))
}

function delayAfter(attempt: number, retry: NonNullable<RunPolicy['retry']>): number {
  const { delay: firstMs, maxDelay: mostMs, factor } = retry
  return pauseMs(attempt, { firstMs, mostMs, factor })
}

/**
 * Returns how many milliseconds an attempt still has to wait on the monotonic clock. Its due time is stored as wall-clock
 * time; if the clock was set back meanwhile, it still waits no longer than its job says.
 */
export function pauseBefore(
  run: { attempt: number; notBefore: number | null; policy: RunPolicy | null },
  now: number,
): number {
  const { attempt, notBefore, policy } = run
  if (notBefore === null) return 0
  const retry = policy?.retry
  const longest = retry ? Math.ceil(delayAfter(attempt - 1, retry) * (1 + retry.jitter)) : 0
  return Math.min(longest, Math.max(0, notBefore - now))
}

/** Whether a run is the first attempt at a slot that came up late. */
export function isCaughtUp(run: {
  slot: number | null
  attempt: number
  trigger: string
  queuedAt: number
}): boolean {
  return (
    run.slot !== null && run.trigger === 'schedule' && run.attempt === 1 && run.queuedAt - run.slot > lateMs
  )
}
