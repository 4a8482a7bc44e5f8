import type { Clock } from './clock.ts'

export interface RateLimit {
  /** Seconds until the next try is allowed; 0 if it is allowed now. */
  retryAfter(key: string): number
  /** Counts one failure. */
  fail(key: string): void
  /** Clears the failures, after a success. */
  clear(key: string): void
  /** Removes the latest failure, which was counted before its result was known. */
  takeBack(key: string): void
}

/**
 * Allows `failures` failures per key within `withinMs`. Successes do not count. Memory is bounded: keys whose last
 * failure is oldest are forgotten first.
 */
export function createRateLimit(options: {
  failures: number
  withinMs: number
  clock: Clock
  maxKeys?: number
}): RateLimit {
  const { failures, withinMs, clock, maxKeys = 10_000 } = options
  const failed = new Map<string, number[]>()

  const recent = (key: string) => (failed.get(key) ?? []).filter(at => at > clock.monotonic() - withinMs)

  return {
    retryAfter: key => {
      const times = recent(key)
      const oldest = times[times.length - failures]
      return oldest === undefined ? 0 : Math.max(1, Math.ceil((oldest + withinMs - clock.monotonic()) / 1000))
    },
    fail: key => {
      const times = [...recent(key), clock.monotonic()].slice(-failures)
      failed.delete(key)
      failed.set(key, times)
      if (failed.size > maxKeys) failed.delete(failed.keys().next().value as string)
    },
    clear: key => {
      failed.delete(key)
    },
    takeBack: key => {
      const times = recent(key).slice(0, -1)
      if (times.length > 0) failed.set(key, times)
      else failed.delete(key)
    },
  }
}

export interface Pace {
  /** Whole seconds until this key may be used again; 0 if it may be used now. */
  wait(key: string): number
  /** Records a use of this key. */
  take(key: string): void
}

/** Allows one use per key every `everyMs`. Memory is bounded: the keys used longest ago are forgotten first. */
export function createPace(options: { everyMs: number; clock: Clock; maxKeys?: number }): Pace {
  const { everyMs, clock, maxKeys = 10_000 } = options
  const nextAt = new Map<string, number>()
  return {
    wait: key => Math.max(0, Math.ceil(((nextAt.get(key) ?? 0) - clock.monotonic()) / 1000)),
    take: key => {
      nextAt.delete(key)
      nextAt.set(key, clock.monotonic() + everyMs)
      if (nextAt.size > maxKeys) nextAt.delete(nextAt.keys().next().value as string)
    },
  }
}
