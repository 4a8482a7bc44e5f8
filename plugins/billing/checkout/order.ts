import type { Clock } from '../../../src/clock.ts'
import { serialByKey } from '../../../src/concurrency.ts'
import type { Account } from '../../auth/contract.ts'
import { alreadySubscribed } from '../problems.ts'
import type { Subscription } from '../schema.ts'
import type { Customers } from '../stripe/customers.ts'
import type { StripeAccess } from '../stripe/stripe.ts'

/** A page that is found again must leave time to find one's card. */
const timeToPayMs = 3_600_000

/**
 * Leads to where a plan is paid, and sees to it that there is one such page an account: two that are open at once could
 * both be paid, and then the same thing is paid for twice every month.
 */
export function createOrders(parts: {
  stripe: StripeAccess
  customers: Customers
  clock: Clock
  /** Those of the account that stand in the way of another. */
  goingOn(accountId: string): readonly Subscription[]
  /** Where the browser comes back to. */
  page(): string
}) {
  const { stripe, customers, clock, goingOn, page } = parts
  const inTurn = serialByKey()

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
    // Only now: what was paid until here is seen, and what could still be paid is this very order.
    await customers.read(customerId)
    if (goingOn(account.id).length > 0) {
      if (found) await stripe.endCheckout(found.id)
      throw alreadySubscribed(
        'Change the plan, the card or what is open in the billing portal; nothing was ordered.',
      )
    }
    if (underWay(paid, customers.subscriptionsOf(account.id))) {
      if (found) await stripe.endCheckout(found.id)
      throw alreadySubscribed(
        'A payment is in progress, perhaps in another tab. Nothing was ordered now. Wait a minute, then look at your plan again.',
      )
    }
    return found?.url ?? (await stripe.startCheckout(wanted))
  }

  return {
    /** Throws `already-subscribed`, and what Stripe throws. */
    order: (account: Account, price: string, subdomain: string | null): Promise<string> =>
      inTurn(account.id, () => order(account, price, subdomain)),

    /** Nothing can be ordered any more on the pages that are open. */
    close: (accountId: string, customerId: string): Promise<void> =>
      inTurn(accountId, async () => {
        for (const { id, status } of await stripe.checkoutPages(customerId)) {
          if (status === 'open') await stripe.endCheckout(id)
        }
      }),
  }
}

export type Orders = ReturnType<typeof createOrders>

/** A page was finished, and the money for its subscription has not come yet. */
function underWay(
  paid: readonly { subscriptionId: string | null }[],
  subscriptions: readonly Subscription[],
): boolean {
  return paid.some(({ subscriptionId }) =>
    subscriptions.some(({ id, status }) => id === subscriptionId && status === 'incomplete'),
  )
}
