import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import { createClosing } from './closed-accounts.ts'
import type { BillingDb, Customers } from './customers.ts'
import { openDisputes } from './disputes.ts'
import { createEmailSync } from './email-sync.ts'
import { EventQueue } from './event-queue.ts'
import { reconcile } from './reconcile.ts'
import type { StripeAccess } from './stripe.ts'

/**
 * Keeps our records in line with Stripe: events are the fast way, and reading every customer is the sure one. Both read
 * a customer whole and then call `onRead` with the account.
 */
export function createStripeSync(parts: {
  db: BillingDb
  stripe: StripeAccess
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  clock: Clock
  log: Logger
  closeOrders(accountId: string, customerId: string): Promise<void>
  onRead(accountId: string, why: 'event' | 'reconcile'): void
}) {
  const { db, stripe, customers, accounts, clock, log, closeOrders, onRead } = parts
  const disputes = openDisputes({ db, stripe, clock })
  const endClosed = createClosing({ customers, accounts, stripe, clock, closeOrders })
  const readFor = (why: 'event' | 'reconcile') => async (customerId: string, signal: AbortSignal) => {
    const accountId = await customers.read(customerId, signal)
    if (accountId === null) return null
    await endClosed(accountId, customerId)
    onRead(accountId, why)
    return accountId
  }
  return {
    disputes,
    queue: new EventQueue({
      ...{ db, clock, log, live: stripe.live },
      read: readFor('event'),
      readDisputes: disputes.read,
    }),
    reconcile: (signal: AbortSignal) =>
      reconcile({ customers, disputes, read: readFor('reconcile'), log, signal }),
    syncEmails: createEmailSync({ customers, accounts, stripe, log }),
  }
}
