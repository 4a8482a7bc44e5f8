import type Stripe from 'stripe'
import { type SubscriptionItem, type SubscriptionStatus, subscriptionStatuses } from '../contract.ts'

/** What Stripe has, as far as it is read here. Times are milliseconds since the epoch. */

export interface StripeSubscription {
  id: string
  status: SubscriptionStatus
  /** Of the first item. */
  priceId: string | null
  items: readonly SubscriptionItem[]
  createdAt: number
  /** The earliest of all items. */
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
 * `deleted`: somebody deleted it at Stripe, and its subscriptions ended with it. `unknown`: the key's account never had
 * it, as after a change to the key of another account.
 */
export type StripeCustomer =
  | { state: 'known'; accountId: string | null }
  | { state: 'deleted' }
  | { state: 'unknown' }

/** A page at Stripe where something is paid. */
export interface CheckoutPage {
  id: string
  status: 'open' | 'complete' | 'expired'
  /** Null once nothing can be paid there any more. */
  url: string | null
  /** What it was made for, so that the same order is known again; null for one that was not made here. */
  order: string | null
  expiresAt: number
  /** What was paid there began this one. */
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

/** What a customer and a subscription carry at Stripe, so that the account is found again from there. */
export const accountKey = 'longhouse_account'
/** What a checkout page carries: a digest of everything that was ordered. */
export const orderKey = 'longhouse_order'

const ms = (seconds: number) => seconds * 1000
const msOrNull = (seconds: number | null | undefined) => (seconds ? ms(seconds) : null)
const idOf = (given: string | { id: string } | null | undefined) =>
  typeof given === 'string' ? given : (given?.id ?? null)

/** `items` are all of the subscription's: it carries only its first ones. */
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
  // Only what is surely over is taken for that.
  status: (['complete', 'expired'] as const).find(status => status === session.status) ?? 'open',
  url: session.url,
  order: session.metadata?.[orderKey] ?? null,
  expiresAt: ms(session.expires_at),
  subscriptionId: idOf(session.subscription),
})

/** The charge must have been asked for in full: a dispute itself does not say whose it is. */
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

/** Null for what is signed well and is no event all the same. */
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
