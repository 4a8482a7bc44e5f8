import type { Logger } from '../../src/log.ts'
import type { AccountDirectory } from '../auth/contract.ts'
import type { Customers } from './customers.ts'
import type { StripeAccess } from './stripe.ts'

/** Customers that are read at the same time: far below what Stripe allows. */
const atOnce = 4

/**
 * Reads every customer from Stripe, so that a webhook that was lost heals by itself. What an account that was deleted
 * still pays for is cancelled. A customer that cannot be read keeps no other from it.
 */
export async function reconcile(parts: {
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  stripe: StripeAccess
  read(customerId: string, signal: AbortSignal): Promise<string | null>
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { customers, accounts, stripe, read, log, signal } = parts
  const waiting = customers.list()
  let failed = 0

  const work = async () => {
    for (let next = waiting.pop(); next && !signal.aborted; next = waiting.pop()) {
      const { accountId, customerId } = next
      try {
        await read(customerId, signal)
        if (accounts.get(accountId)?.closedAt == null) continue
        for (const { id, endedAt } of customers.subscriptionsOf(accountId)) {
          if (endedAt === null) await stripe.cancel(id)
        }
      } catch (error) {
        failed++
        log.warn({ account: accountId, error: (error as Error).message }, 'could not be read from Stripe')
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  if (failed > 0)
    throw new Error(`${failed} customers could not be read from Stripe; the next round tries again`)
}
