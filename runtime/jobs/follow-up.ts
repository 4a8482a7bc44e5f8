import type { RunStatus } from '../contract.ts'
import type { JobSpec } from './manifest.ts'

/** What a run is given, and what becomes of it, as its job said when it was due. It is kept with the run. */
export type RunPolicy = Pick<JobSpec, 'retry' | 'onInterrupt' | 'concurrencyKey'> & {
  /** Runs of an older program have none. */
  secrets?: JobSpec['secrets']
}

/** A job that takes its instance down with it must not do so for ever. */
const mostReruns = 3

export function policyOf({ retry, onInterrupt, concurrencyKey, secrets }: JobSpec): RunPolicy {
  return { retry, onInterrupt, concurrencyKey, secrets }
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
