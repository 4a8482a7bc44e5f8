import type { Clock } from '../../../src/clock.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { Customers } from './customers.ts'
import type { StripeAccess } from './stripe.ts'

/** Longer than a page at Stripe can be paid. */
const payableMs = 2 * 86_400_000

/** Sees to it that an account which its owner deleted is charged for nothing: neither for what it had, nor on a page that is open still. */
export function createClosing(parts: {
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  stripe: StripeAccess
  clock: Clock
  closeOrders(accountId: string, customerId: string): Promise<void>
}) {
  const { customers, accounts, stripe, clock, closeOrders } = parts
  /** Does nothing for an open account. `customerId` was just read. */
  return async (accountId: string, customerId: string): Promise<void> => {
    const closedAt = accounts.get(accountId)?.closedAt ?? null
    if (closedAt === null) return
    if (clock.now() < closedAt + payableMs) await closeOrders(accountId, customerId)
    const left = customers.subscriptionsOf(accountId).filter(({ endedAt }) => endedAt === null)
    for (const { id } of left) await stripe.cancel(id)
    if (left.length > 0) await customers.read(customerId)
  }
}
