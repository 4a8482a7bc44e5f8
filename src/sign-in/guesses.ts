import type { Clock } from '../clock.ts'
import { addressGroup, addressNetwork } from '../http/address.ts'
import { createPace, createRateLimit } from '../rate-limit.ts'

export interface Guesses {
  /**
   * Compares a password, unless the caller has to wait. `address` is the client's, `browser` the name of one that
   * signed in here before. Returns null if it is right, else the seconds to wait; 0 if the next try is free.
   */
  judge(
    by: { address: string; browser: string | null },
    compare: () => Promise<boolean>,
  ): Promise<number | null>
}

const withinMs = 10 * 60_000
/** Wrong passwords within ten minutes without a delay. */
const free = { browser: 10, group: 10, network: 30, all: 100 }
/** Tries in the fast queue while the shared limit is exceeded. */
const ahead = { group: 3, network: 3 }
/** The delay between tries beyond the free ones. */
const paceMs = 2000
/** The delay in the fast queue: five a second. Each comparison takes an instance about 30 ms of one core. */
const aheadPaceMs = 200

/**
 * Limits wrong passwords without locking anyone out: beyond the free tries, one every two seconds is compared.
 *
 * 1. A browser that signed in here before has its own limit, and waits for no others.
 * 2. Any other try counts for its address group (an IPv4 address, an IPv6 /64) and its network (/16, /32).
 * 3. All of these together have a hundred free tries. Beyond that there are two queues, so that a flood from
 *    elsewhere does not delay new browsers: one for the first three tries of a group and of its network, and one for
 *    the rest.
 */
export function guessLimit(clock: Clock): Guesses {
  const limit = (failures: number) => {
    return {
      ...createRateLimit({ failures, withinMs, clock }),
      pace: createPace({ everyMs: paceMs, clock }),
    }
  }
  const browsers = limit(free.browser)
  const groups = limit(free.group)
  const networks = limit(free.network)
  const all = createRateLimit({ failures: free.all, withinMs, clock })
  const aheadGroups = createRateLimit({ failures: ahead.group, withinMs, clock })
  const aheadNetworks = createRateLimit({ failures: ahead.network, withinMs, clock })
  const queues = {
    ahead: createPace({ everyMs: aheadPaceMs, clock }),
    others: createPace({ everyMs: paceMs, clock }),
  }

  return {
    judge: async ({ address, browser }, compare) => {
      const group = addressGroup(address)
      const network = addressNetwork(address)
      const own =
        browser === null
          ? [
              { limit: groups, key: group },
              { limit: networks, key: network },
            ]
          : [{ limit: browsers, key: browser }]
      const over = own.filter(({ limit, key }) => limit.retryAfter(key) > 0)
      const paces = over.map(({ limit, key }) => ({ pace: limit.pace, key }))
      if (browser === null && all.retryAfter('') > 0) {
        const first = aheadGroups.retryAfter(group) === 0 && aheadNetworks.retryAfter(network) === 0
        paces.push({ pace: first ? queues.ahead : queues.others, key: '' })
      }
      const wait = Math.max(0, ...paces.map(({ pace, key }) => pace.wait(key)))
      if (wait > 0) return wait
      for (const { pace, key } of paces) pace.take(key)
      // Until their next own try is compared: a caller who waited in a shared queue has that one free.
      const next = Math.max(0, ...over.map(({ limit, key }) => limit.pace.wait(key)))

      // Counted before it is compared: concurrent guesses must not slip through.
      for (const { limit, key } of own) limit.fail(key)
      if (browser === null) {
        all.fail('')
        aheadGroups.fail(group)
        aheadNetworks.fail(network)
      }
      if (!(await compare())) return next
      if (browser !== null) browsers.clear(browser)
      else {
        groups.clear(group)
        aheadGroups.clear(group)
        networks.takeBack(network)
        aheadNetworks.takeBack(network)
        all.takeBack('')
      }
      return null
    },
  }
}
