/**
 * Stripe's objects and events. The types name what a client of subscriptions reads; the objects have every field of
 * Stripe's published examples. Times are in seconds, money in the currency's smallest unit.
 */

export interface Common {
  id: string
  created: number
  livemode: boolean
}

/** The common fields of objects created at one moment. */
export interface Moment {
  id(prefix: string): string
  now(): number
  live: boolean
}

export interface Customer extends Common {
  object: 'customer'
  email: string | null
  name: string | null
  metadata: Record<string, string>
  deleted?: true
}

export type Status =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'canceled'
  | 'unpaid'
  | 'paused'

export interface Price extends Common {
  object: 'price'
  active: true
  currency: string
  unit_amount: number
  type: 'recurring'
}

export interface Subscription extends Common {
  object: 'subscription'
  customer: string
  status: Status
  metadata: Record<string, string>
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  ended_at: number | null
  latest_invoice: string | null
  pause_collection: {
    behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'
    resumes_at: number | null
  } | null
  items: { object: 'list'; has_more: boolean; url: string; data: SubscriptionItem[] }
}

export interface SubscriptionItem {
  object: 'subscription_item'
  id: string
  subscription: string
  quantity: number
  metadata: Record<string, string>
  current_period_start: number
  current_period_end: number
  price: Price
}

export interface Session extends Common {
  object: 'checkout.session'
  customer: string
  mode: 'subscription'
  status: 'open' | 'complete' | 'expired'
  payment_status: 'unpaid' | 'paid'
  url: string | null
  success_url: string
  cancel_url: string
  client_reference_id: string | null
  allow_promotion_codes: boolean | null
  automatic_tax: { enabled: boolean; liability: { type: string }; provider: null; status: null }
  subscription: string | null
  metadata: Record<string, string>
  expires_at: number
}

export interface Invoice extends Common {
  object: 'invoice'
  customer: string
  status: 'open' | 'paid' | 'uncollectible'
  amount_due: number
  attempt_count: number
  parent: { type: 'subscription_details'; subscription_details: { subscription: string } }
}

export interface Charge extends Common {
  object: 'charge'
  customer: string
  amount: number
  currency: string
  disputed: boolean
  payment_intent: string
}

export type DisputeStatus = 'needs_response' | 'under_review' | 'won' | 'lost'

/** It references the charge, and never the customer. */
export interface Dispute extends Common {
  object: 'dispute'
  charge: string
  payment_intent: string
  amount: number
  currency: string
  reason: string
  status: DisputeStatus
  evidence_details: {
    due_by: number | null
    has_evidence: boolean
    past_due: boolean
    submission_count: number
  }
}

export interface Event {
  object: 'event'
  id: string
  type: string
  api_version: string
  created: number
  livemode: boolean
  pending_webhooks: number
  request: { id: string | null; idempotency_key: string | null }
  data: { object: unknown }
}
