import type { Clock } from '../../../src/clock.ts'
import { serialByKey } from '../../../src/concurrency.ts'
import type { Account } from '../../auth/contract.ts'
import { alreadySubscribed } from '../problems.ts'
import type { Subscription } from '../schema.ts'
import type { Customers } from '../stripe/customers.ts'
import type { StripeAccess } from '../stripe/stripe.ts'

/** A checkout page that is reused must be open at least this much longer: finding a card takes time. */
const timeToPayMs = 3_600_000

/**
 * Opens the checkout page for an order, and keeps it the only open page of the account. If two were open at once, both could
 * be paid, and the owner would pay twice every month.
 *
 * 1. Find the account's checkout pages at Stripe, and reuse the open page of this very order.
 * 2. Close the other open pages. One that cannot be closed was paid.
 * 3. Read the customer: now everything that was paid is seen.
 * 4. Refuse the order if a subscription has not ended, or if the payment for one is still in progress.
 * 5. Return the page that was found, or open a new one.
 */
export function createOrders(parts: {
  stripe: StripeAccess
  customers: Customers
  clock: Clock
  /** The account's subscriptions that have not ended. Any of them rules out another. */
  goingOn(accountId: string): readonly Subscription[]
  /** The URL that the browser returns to. */
  page(): string
}) {
  const { stripe, customers, clock, goingOn, page } = parts
  const serial = serialByKey()

  const order = async (account: Account, price: string, subdomain: string | null): Promise<string> => {
    const customerId = await customers.ensure(account)
    const backTo = { done: `${page()}?paid=1`, given: page() }
    const wanted = { customerId, accountId: account.id, subdomain, price, backTo }
    const digest = stripe.digest(wanted)
    const until = clock.now() + timeToPayMs
    const pages = await stripe.checkoutPages(customerId)
    const open = pages.filter(({ status }) => status === 'open')
    const found = open.find(each => each.order === digest && each.url !== null && each.expiresAt > until)
    let paid = pages.filter(({ status }) => status === 'complete')
    for (const each of open) {
      if (each !== found && !(await stripe.endCheckout(each.id))) paid = [each, ...paid]
    }
    // Only now, so that everything paid until here is seen, and only this order can still be paid.
    await customers.read(customerId)
    if (goingOn(account.id).length > 0) {
      if (found) await stripe.endCheckout(found.id)
      throw alreadySubscribed(
        'Nothing was ordered. To change your plan or card, or to pay an open invoice, use the billing portal.',
      )
    }
    if (underWay(paid, customers.subscriptionsOf(account.id))) {
      if (found) await stripe.endCheckout(found.id)
      throw alreadySubscribed(
        'A payment is in progress, perhaps in another tab. Nothing more was ordered. Wait a minute, then check your plan.',
      )
    }
    return found?.url ?? (await stripe.startCheckout(wanted))
  }

  return {
    /** Throws `already-subscribed`, and what Stripe throws. */
    order: (account: Account, price: string, subdomain: string | null): Promise<string> =>
      serial(account.id, () => order(account, price, subdomain)),

    /** Closes the account's open checkout pages: nothing more can be ordered on them. */
    close: (accountId: string, customerId: string): Promise<void> =>
      serial(accountId, async () => {
        for (const { id, status } of await stripe.checkoutPages(customerId)) {
          if (status === 'open') await stripe.endCheckout(id)
        }
      }),
  }
}

export type Orders = ReturnType<typeof createOrders>

/** Whether a page was completed whose payment has not arrived yet. */
function underWay(
  paid: readonly { subscriptionId: string | null }[],
  subscriptions: readonly Subscription[],
): boolean {
  return paid.some(({ subscriptionId }) =>
    subscriptions.some(({ id, status }) => id === subscriptionId && status === 'incomplete'),
  )
}
