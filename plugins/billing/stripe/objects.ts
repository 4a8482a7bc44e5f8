import type Stripe from 'stripe'
import { type SubscriptionItem, type SubscriptionStatus, subscriptionStatuses } from '../contract.ts'

/** Stripe's objects, as far as they are used here. Times are milliseconds since the epoch. */

export interface StripeSubscription {
  id: string
  status: SubscriptionStatus
  /** The price of the first item. */
  priceId: string | null
  items: readonly SubscriptionItem[]
  createdAt: number
  /** The earliest period end of all items. */
  periodEndsAt: number | null
  cancelAt: number | null
  endedAt: number | null
  /** What becomes of the invoices while Stripe collects no payment (`pause_collection`); null while it collects. */
  pauseBehavior: string | null
  pauseEndsAt: number | null
}

export interface StripeEvent {
  id: string
  type: string
  live: boolean
  createdAt: number
  customerId: string | null
}

/**
 * `deleted`: the customer was deleted at Stripe, which ended its subscriptions. `unknown`: the Stripe account of the key never
 * had this customer, as after a change to the key of another account.
 */
export type StripeCustomer =
  | { state: 'known'; accountId: string | null }
  | { state: 'deleted' }
  | { state: 'unknown' }

/** A checkout page at Stripe. */
export interface CheckoutPage {
  id: string
  status: 'open' | 'complete' | 'expired'
  /** Null once nothing can be paid there. */
  url: string | null
  /** The digest of its order; null for a page that was not created here. */
  order: string | null
  expiresAt: number
  /** The subscription that was started there. */
  subscriptionId: string | null
}

/** A cardholder's bank wants a payment back. The amount is in the currency's smallest unit. */
export interface StripeDispute {
  id: string
  customerId: string | null
  amount: number
  currency: string
  reason: string
  status: string
  answerBy: number | null
  createdAt: number
}

/** The metadata key with the account's id, on customers and subscriptions. A lost record is restored from it. */
export const accountKey = 'longhouse_account'
/** The metadata key with the digest of the order, on checkout pages. */
export const orderKey = 'longhouse_order'

const ms = (seconds: number) => seconds * 1000
const msOrNull = (seconds: number | null | undefined) => (seconds ? ms(seconds) : null)
const idOf = (given: string | { id: string } | null | undefined) =>
  typeof given === 'string' ? given : (given?.id ?? null)

/** `items` are all items of the subscription; the object itself lists only the first ones. */
export function asSubscription(
  each: Stripe.Subscription,
  items: readonly Stripe.SubscriptionItem[],
): StripeSubscription {
  const ends = items.flatMap(({ current_period_end: end }) => (end ? [end] : []))
  const periodEndsAt = ends.length > 0 ? ms(Math.min(...ends)) : null
  return {
    id: each.id,
    // An unknown status must not stop an instance.
    status: subscriptionStatuses.find(status => status === each.status) ?? 'active',
    priceId: items[0]?.price.id ?? null,
    items: items.map(({ price, quantity }) => ({ priceId: price.id, quantity: quantity ?? 1 })),
    createdAt: ms(each.created),
    periodEndsAt,
    cancelAt: msOrNull(each.cancel_at) ?? (each.cancel_at_period_end ? periodEndsAt : null),
    endedAt: msOrNull(each.ended_at),
    pauseBehavior: each.pause_collection?.behavior ?? null,
    pauseEndsAt: msOrNull(each.pause_collection?.resumes_at),
  }
}

export const asCustomer = (customer: Stripe.Customer | Stripe.DeletedCustomer): StripeCustomer =>
  customer.deleted
    ? { state: 'deleted' }
    : { state: 'known', accountId: customer.metadata[accountKey] ?? null }

export const asCheckoutPage = (session: Stripe.Checkout.Session): CheckoutPage => ({
  id: session.id,
  // An unknown status counts as open.
  status: (['complete', 'expired'] as const).find(status => status === session.status) ?? 'open',
  url: session.url,
  order: session.metadata?.[orderKey] ?? null,
  expiresAt: ms(session.expires_at),
  subscriptionId: idOf(session.subscription),
})

/** The charge must be expanded: the dispute itself does not name the customer. */
export const asDispute = (dispute: Stripe.Dispute): StripeDispute => ({
  id: dispute.id,
  customerId: typeof dispute.charge === 'object' ? idOf(dispute.charge.customer) : null,
  amount: dispute.amount,
  currency: dispute.currency,
  reason: dispute.reason,
  status: dispute.status,
  answerBy: msOrNull(dispute.evidence_details.due_by),
  createdAt: ms(dispute.created),
})

/** Null for a payload that is signed correctly but is not an event. */
export function asEvent(event: Stripe.Event): StripeEvent | null {
  const { id, type, livemode, created } = event
  if (typeof id !== 'string' || typeof type !== 'string' || typeof created !== 'number') return null
  const about = (event.data?.object ?? {}) as { object?: unknown; id?: unknown; customer?: unknown }
  const customer = about.object === 'customer' ? about.id : about.customer
  const customerId =
    typeof customer === 'object' && customer !== null ? (customer as { id?: unknown }).id : customer
  return {
    id,
    type,
    live: livemode === true,
    createdAt: ms(created),
    customerId: typeof customerId === 'string' ? customerId : null,
  }
}
