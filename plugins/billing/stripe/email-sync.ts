import { serialByKey } from '../../../src/concurrency.ts'
import type { Logger } from '../../../src/log.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { Customers } from './customers.ts'
import { StripeFailure } from './failure.ts'
import type { StripeAccess } from './stripe.ts'

/**
 * Sends Stripe the email address of each account whose address has changed, because receipts go there. An update that
 * fails is sent again in a later round. A customer that Stripe has deleted needs no update. The synced address of a
 * person who was forgotten is forgotten, too.
 */
export function createEmailSync(parts: {
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  stripe: StripeAccess
  log: Logger
}) {
  const { customers, accounts, stripe, log } = parts
  const serial = serialByKey()

  /** The update that an account needs; null when Stripe has its address. */
  const updateFor = (accountId: string): { customerId: string; email: string } | null => {
    const [account, customer] = [accounts.get(accountId), customers.of(accountId)]
    if (!customer || !account?.email || account.closedAt !== null) return null
    const { customerId, syncedEmail } = customer
    return account.email === syncedEmail ? null : { customerId, email: account.email }
  }

  // One update of an account at a time, each read when it starts: an older address must not arrive last.
  const sync = (accountId: string) =>
    serial(accountId, async () => {
      const update = updateFor(accountId)
      if (!update) return
      try {
        await stripe.updateEmail(update.customerId, update.email)
      } catch (error) {
        if (!(error instanceof StripeFailure && error.missing)) throw error
      }
      customers.markEmailSynced(update.customerId, update.email)
    })

  return async (signal: AbortSignal): Promise<void> => {
    for (const { accountId, customerId, syncedEmail } of customers.list()) {
      if (signal.aborted) return
      if (syncedEmail !== null && accounts.get(accountId)?.email === '')
        customers.markEmailSynced(customerId, null)
      if (!updateFor(accountId)) continue
      try {
        await sync(accountId)
      } catch (error) {
        log.warn(
          { account: accountId, error: (error as Error).message },
          'could not send a new email address to Stripe',
        )
      }
    }
  }
}
