import type { Clock } from '../../../src/clock.ts'
import { Problem } from '../../../src/http/problem.ts'
import type { Account } from '../../auth/contract.ts'
import { customerGone, noCustomer, stripeAway, stripeRefused, unknownPlan } from '../problems.ts'
import type { Customers } from '../stripe/customers.ts'
import { StripeFailure } from '../stripe/failure.ts'
import type { StripeAccess } from '../stripe/stripe.ts'
import { createOrders } from './order.ts'
import type { Plans } from './plans.ts'

/** Where owners pay: the payment page and the billing portal, both at Stripe. */
export function createCheckout(parts: {
  stripe: StripeAccess
  customers: Customers
  plans: Plans
  clock: Clock
  /** The URL that the browser comes back to. */
  page(): string
}) {
  const { stripe, customers, plans, clock, page } = parts
  const orders = createOrders({ stripe, customers, clock, goingOn: plans.goingOn, page })

  return {
    /** Closes the payment pages that an account has open, so that nothing more can be ordered on them. */
    closeOrders: orders.close,

    /** Returns the URL of the payment page. Throws `unknown-plan`, `already-subscribed`, `payment-provider-…`. */
    checkout: async (account: Account, planId: string, subdomain: string | null): Promise<string> => {
      const plan = plans.list.find(each => each.id === planId)
      if (!plan) {
        const known = plans.list.map(each => each.id).join(', ')
        throw unknownPlan(`There is no plan "${planId}". The plans are ${known}. Nothing was ordered.`, {
          errors: [{ path: 'plan', message: `must be one of ${known}` }],
        })
      }
      return asked(() => orders.order(account, plan.price, subdomain))
    },

    /** Returns the URL where the owner changes cards, sees invoices and cancels. Throws `no-customer`, `payment-provider-…`. */
    portal: async (account: Account): Promise<string> => {
      const customer = customers.of(account.id)
      if (!customer) throw noCustomer('There is nothing to manage yet. Choose a plan first.')
      return asked(async () => {
        try {
          return await stripe.openPortal(customer.customerId, `${page()}?changed=1`)
        } catch (error) {
          if (!(error instanceof StripeFailure && error.missing)) throw error
          // The customer was deleted at Stripe, or the key belongs to another Stripe account: read it to find out.
          await customers.read(customer.customerId).catch(() => {})
          throw customerGone(
            plans.goingOn(account.id)[0]
              ? 'Your instances and data here are unchanged. Tell the operator of this site.'
              : 'Your instances and data here are kept. Choose a plan to start over.',
            { cause: error },
          )
        }
      })
    },

    /** Reads the account's subscriptions from Stripe. Returns false, and changes nothing, when Stripe does not answer. */
    refresh: async (accountId: string): Promise<boolean> => {
      const customer = customers.of(accountId)
      if (!customer) return true
      return customers.read(customer.customerId).then(
        () => true,
        () => false,
      )
    },
  }
}

export type Checkout = ReturnType<typeof createCheckout>

async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem || !(error instanceof StripeFailure)) throw error
    if (error.permanent)
      throw stripeRefused('Nothing was ordered. Tell the operator of this site.', { cause: error })
    throw stripeAway('Nothing was ordered. Try again in a few minutes.', {
      cause: error,
      headers: { 'Retry-After': '60' },
    })
  }
}
