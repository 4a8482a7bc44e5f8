import { pauseMs } from '../../../src/backoff.ts'
import { wanted } from '../records/instance.ts'
import type { Instance, Operation } from '../schema.ts'

/**
 * What a round does about one instance:
 * - `stop`, `deprovision`, `purge`: opens that operation.
 * - `bring up`: starts it, once its volume is known to be there.
 * - `inspect`: looks whether its container runs, and brings it up when it does not.
 * - `locate`: only looks where it listens. It may run although its last operation failed.
 */
export type Move = 'nothing' | 'stop' | 'deprovision' | 'purge' | 'bring up' | 'inspect' | 'locate'

/**
 * Decides what brings an instance with no open operation from its status to what it should be. `confirmed`: its container
 * was seen to run as recorded. `mayTry` is asked only where an operation would be opened: see `mayTryNow`.
 */
export function decideMove(
  instance: Pick<Instance, 'desired' | 'status' | 'volumeFault' | 'host' | 'removal' | 'suspension'>,
  { confirmed, mayTry }: { confirmed: boolean; mayTry: () => boolean },
): Move {
  const { status, volumeFault, host, removal } = instance
  const ifMayTry = (move: Move): Move => (mayTry() ? move : 'nothing')
  switch (wanted(instance)) {
    case 'deleted':
      if (removal?.purgeRequestedAt) return ifMayTry('purge')
      return status === 'deleted' ? 'nothing' : ifMayTry('deprovision')
    case 'stopped':
      return status === 'stopped' ? 'nothing' : ifMayTry('stop')
    case 'running':
      // Its volume may be back. Only a look at it can tell, however often the start failed.
      if (volumeFault !== null) return 'bring up'
      if (status !== 'failed') return status === 'running' && confirmed ? 'nothing' : 'inspect'
      if (mayTry()) return 'bring up'
      return host === null ? 'locate' : 'nothing'
  }
}

/** How many of the newest operations `mayTryNow` needs: with eight failures, the pause has reached its maximum. */
export const outcomesNeeded = 8

/**
 * Whether another operation may be opened, given how the newest ones ended, newest first. The pause after a failure doubles
 * with each failure in a row, from half a minute to ten; an operation that failed permanently is not retried.
 */
export function mayTryNow(
  recent: readonly Pick<Operation, 'status' | 'permanent' | 'finishedAt'>[],
  now: number,
): boolean {
  const sinceSuccess = recent.findIndex(operation => operation.status !== 'failed')
  const failures = sinceSuccess < 0 ? recent.length : sinceSuccess
  const last = recent[0]
  if (failures === 0 || !last) return true
  if (last.permanent) return false
  const waitedMs = now - (last.finishedAt ?? 0)
  // It ended in the future: the clock was set back since, and must not be waited for.
  return waitedMs < 0 || waitedMs >= pauseMs(failures, { firstMs: 30_000, mostMs: 600_000 })
}
