import type { Clock } from '../../../src/clock.ts'
import type { AccountRecords } from '../accounts/account-records.ts'
import type { Plan } from '../contract.ts'
import type { Customers } from '../stripe/customers.ts'
import type { StripeAccess } from '../stripe/stripe.ts'
import { type Bill, billReader } from './bill.ts'
import { type Checkout, createCheckout } from './checkout.ts'
import { openPlans } from './plans.ts'

/** What pages need to show and to sell plans. */
export interface Payments extends Pick<Checkout, 'checkout' | 'portal' | 'refresh'> {
  plans: readonly Plan[]
  /** The plan whose limits apply; null for none. */
  planOf(accountId: string): Plan | null
  bill(accountId: string): Bill
}

/** Opens the plans and where owners pay for them. */
export function openPayments(
  parts: AccountRecords & {
    list: readonly Plan[]
    stripe: StripeAccess
    customers: Customers
    clock: Clock
    trialMs: number
    /** How many trials may be in progress at the same time. */
    trialLimit: number
    /** The URL that the browser comes back to. */
    page(): string
  },
) {
  const { list, stripe, customers, standings, trials, exemptions, clock, page } = parts
  const { trialMs, trialLimit } = parts
  const plans = openPlans({ list, customers, standings, exemptions })
  const { closeOrders, ...checkout } = createCheckout({ stripe, customers, plans, clock, page })
  const bill = billReader({ plans, customers, standings, trials, exemptions, trialMs, trialLimit })
  const payments: Payments = { ...checkout, plans: plans.list, planOf: plans.of, bill }
  return { plans, payments, closeOrders }
}
