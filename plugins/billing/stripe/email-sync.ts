import { serialByKey } from '../../../src/concurrency.ts'
import type { Logger } from '../../../src/log.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { Customers } from './customers.ts'
import { type StripeAccess, StripeFailure } from './stripe.ts'

/**
 * Tells Stripe the address of each account that has another one now than Stripe was told last: receipts go there. What
 * fails is told in a later round; a customer that Stripe has no more needs no telling. What was told of people who are
 * forgotten is forgotten with them.
 */
export function createAddressTelling(parts: {
  customers: Customers
  accounts: Pick<AccountDirectory, 'get'>
  stripe: StripeAccess
  log: Logger
}) {
  const { customers, accounts, stripe, log } = parts
  const inTurn = serialByKey()

  /** The address that is to be told; null when Stripe knows. */
  const news = (accountId: string): { customerId: string; email: string } | null => {
    const [account, customer] = [accounts.get(accountId), customers.of(accountId)]
    if (!customer || !account?.email || account.closedAt !== null) return null
    const { customerId, toldEmail } = customer
    return account.email === toldEmail ? null : { customerId, email: account.email }
  }

  // One at a time, and read only then: an earlier address must not arrive after a later one.
  const tell = (accountId: string) =>
    inTurn(accountId, async () => {
      const told = news(accountId)
      if (!told) return
      try {
        await stripe.tellEmail(told.customerId, told.email)
      } catch (error) {
        if (!(error instanceof StripeFailure && error.missing)) throw error
      }
      customers.told(told.customerId, told.email)
    })

  return async (signal: AbortSignal): Promise<void> => {
    for (const { accountId, customerId, toldEmail } of customers.list()) {
      if (signal.aborted) return
      if (toldEmail !== null && accounts.get(accountId)?.email === '') customers.told(customerId, null)
      if (!news(accountId)) continue
      try {
        await tell(accountId)
      } catch (error) {
        log.warn({ account: accountId, error: (error as Error).message }, 'Stripe was not told a new address')
      }
    }
  }
}
