import type { Clock } from '../../../src/clock.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { Customers } from './customers.ts'
import type { StripeAccess } from './stripe.ts'

/** Longer than a checkout page stays open. */
const payableMs = 2 * 86_400_000

/** Cancels the subscriptions and closes the checkout pages of deleted accounts, so that they are never charged again. */
export function createClosing(parts: {
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  stripe: StripeAccess
  clock: Clock
  closeOrders(accountId: string, customerId: string): Promise<void>
}) {
  const { customers, accounts, stripe, clock, closeOrders } = parts
  /** Does nothing for an account that is not deleted. The customer must have just been read. */
  return async (accountId: string, customerId: string): Promise<void> => {
    const closedAt = accounts.get(accountId)?.closedAt ?? null
    if (closedAt === null) return
    if (clock.now() < closedAt + payableMs) await closeOrders(accountId, customerId)
    const left = customers.subscriptionsOf(accountId).filter(({ endedAt }) => endedAt === null)
    for (const { id } of left) await stripe.cancel(id)
    if (left.length > 0) await customers.read(customerId)
  }
}
