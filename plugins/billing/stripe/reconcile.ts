import type { Logger } from '../../../src/log.ts'
import type { Customers } from './customers.ts'
import type { Disputes } from './disputes.ts'

/** Customers read at the same time: far below Stripe's rate limit. */
const atOnce = 4

/**
 * Reads every customer and the disputes from Stripe, to recover from lost webhooks. A customer that cannot be read does not
 * keep the others from being read. Throws at the end when any could not.
 */
export async function reconcile(parts: {
  customers: Customers
  disputes: Disputes
  read(customerId: string, signal: AbortSignal): Promise<string | null>
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { customers, disputes, read, log, signal } = parts
  const waiting = customers.list()
  let failed = 0

  const work = async () => {
    for (let next = waiting.pop(); next && !signal.aborted; next = waiting.pop()) {
      const { accountId, customerId } = next
      try {
        await read(customerId, signal)
      } catch (error) {
        failed++
        log.warn(
          { account: accountId, error: (error as Error).message },
          'could not read a customer from Stripe',
        )
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  if (!signal.aborted) await disputes.read(signal)
  if (failed > 0) throw new Error(`${failed} customers could not be read from Stripe; the next round retries`)
}
