/** The shapes that Stripe publishes as examples, as far as a client of subscriptions sees them. Times are in seconds. */

export interface Customer {
  object: 'customer'
  id: string
  email: string | null
  metadata: Record<string, string>
  created: number
  livemode: boolean
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

export interface Subscription {
  object: 'subscription'
  id: string
  customer: string
  status: Status
  metadata: Record<string, string>
  created: number
  livemode: boolean
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  ended_at: number | null
  collection_method: 'charge_automatically'
  currency: string
  latest_invoice: string | null
  items: {
    object: 'list'
    has_more: false
    url: string
    data: {
      object: 'subscription_item'
      id: string
      subscription: string
      quantity: number
      metadata: Record<string, string>
      current_period_start: number
      current_period_end: number
      price: {
        object: 'price'
        id: string
        active: true
        currency: string
        unit_amount: number
        type: 'recurring'
      }
    }[]
  }
}

export interface Session {
  object: 'checkout.session'
  id: string
  customer: string
  mode: 'subscription'
  status: 'open' | 'complete' | 'expired'
  payment_status: 'unpaid' | 'paid'
  url: string | null
  success_url: string
  cancel_url: string
  client_reference_id: string | null
  subscription: string | null
  line_items: { object: 'list'; data: { price: string }[] }
  metadata: Record<string, string>
  created: number
  livemode: boolean
}

export interface Invoice {
  object: 'invoice'
  id: string
  customer: string
  status: 'open' | 'paid' | 'uncollectible'
  amount_due: number
  attempt_count: number
  created: number
  livemode: boolean
  parent: { type: 'subscription_details'; subscription_details: { subscription: string } }
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
