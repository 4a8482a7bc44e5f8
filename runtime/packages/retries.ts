import { type Backoff, pauseMs } from '../../src/backoff.ts'
import type { Clock } from '../../src/clock.ts'
import type { Failure } from './npm/failure.ts'

const backoff: Backoff = { firstMs: 60_000, mostMs: 60 * 60_000 }

/** When to retry a failed installation. */
export interface Retries {
  failed(key: string, failure: Pick<Failure, 'passing'>): void
  /** True while the installation with this key has failed and is not due for a retry. */
  blocks(key: string): boolean
  /** Milliseconds until the next retry; null if none is planned. */
  waitMs(): number | null
  /** True once when the retry is due; its key is then no longer blocked. */
  due(): boolean
  forget(): void
}

/**
 * A temporary failure is retried after a minute, then after twice as long each time, up to an hour. Any other waits
 * for a change of the files, which gives the installation another key, or for a manual retry. Measured on the
 * monotonic clock.
 */
export function openRetries(clock: Clock): Retries {
  let last: { key: string; failures: number; dueAt: number | null; blocked: boolean } | null = null
  return {
    failed: (key, { passing }) => {
      const failures = last?.key === key ? last.failures + 1 : 1
      const waitMs = pauseMs(failures, backoff)
      last = { key, failures, dueAt: passing ? clock.monotonic() + waitMs : null, blocked: true }
    },
    blocks: key => last?.key === key && last.blocked,
    waitMs: () => (last?.dueAt == null ? null : Math.max(0, last.dueAt - clock.monotonic())),
    due: () => {
      if (last?.dueAt == null || clock.monotonic() < last.dueAt) return false
      last = { ...last, dueAt: null, blocked: false }
      return true
    },
    forget: () => {
      last = null
    },
  }
}
