import type { Clock } from '../../src/clock.ts'
import { createRateLimit } from '../../src/rate-limit.ts'

export interface Guesses {
  /**
   * Compares a try, or not. `key` is who tries: an address group, or a browser that signed in here before. Returns
   * null when it is right, else the seconds to wait; 0 when the next try is free.
   */
  judge(by: { key: string; knownBrowser: boolean }, compare: () => Promise<boolean>): Promise<number | null>
}

const windowMs = 10 * 60_000
const freeTries = 10
const freeTriesOfAll = 100
/** Beyond the free tries. A random password of ours has 100 bits; at this pace a week tries a third of a million. */
const paceMs = 2000

/**
 * Limits wrong passwords: ten in ten minutes from one address, and a hundred from all addresses together, so that it does not
 * help to have many. Beyond that nobody is shut out, because several people may share an address with the one who
 * guesses: tries are still compared, but only one every two seconds for the whole instance. A browser that signed in
 * before is counted for itself, and so is in no queue with strangers.
 */
export function guessLimit(clock: Clock): Guesses {
  const each = createRateLimit({ failures: freeTries, withinMs: windowMs, clock })
  const all = createRateLimit({ failures: freeTriesOfAll, withinMs: windowMs, clock })
  let nextAt = Number.NEGATIVE_INFINITY
  return {
    judge: async ({ key, knownBrowser }, compare) => {
      const wait = each.retryAfter(key) || (knownBrowser ? 0 : all.retryAfter(''))
      if (wait > 0) {
        const now = clock.monotonic()
        if (now < nextAt) return Math.ceil((nextAt - now) / 1000)
        nextAt = now + paceMs
      }
      // Counted before it is compared: a burst of guesses side by side must not slip through.
      each.fail(key)
      if (!knownBrowser) all.fail('')
      if (!(await compare())) return wait
      each.clear(key)
      if (!knownBrowser) all.takeBack('')
      return null
    },
  }
}
