import type {
  Charge,
  Common,
  Customer,
  Dispute,
  Event,
  Invoice,
  Moment,
  Price,
  Session,
  Subscription,
  SubscriptionItem,
} from './objects.ts'
import { like } from './published.ts'

export const month = 30 * 86_400
const currency = 'eur'
const monthly = 900

const common = (moment: Moment, prefix: string): Common => ({
  id: moment.id(prefix),
  created: moment.now(),
  livemode: moment.live,
})

export const customerObject = (
  moment: Moment,
  fields: Pick<Customer, 'email' | 'metadata'> & { name?: string | null },
): Customer =>
  like('customer', { object: 'customer', ...common(moment, 'cus'), name: null, discount: null, ...fields })

export const deletedCustomer = ({ id }: { id: string }) =>
  like('deleted_customer', { object: 'customer', id, deleted: true })

const priceObject = (moment: Moment, id: string): Price =>
  like('price', {
    object: 'price',
    ...common(moment, 'price'),
    id,
    active: true,
    currency,
    unit_amount: monthly,
    unit_amount_decimal: String(monthly),
    custom_unit_amount: null,
    transform_quantity: null,
    type: 'recurring',
  })

/** Without schedule, pause or trial at Stripe: the trial is the product's own. */
const unscheduled = {
  billing_schedules: [],
  billing_thresholds: null,
  discounts: [],
  next_pending_invoice_item_invoice: null,
  pause_collection: null,
  pending_invoice_item_interval: null,
  pending_update: null,
  transfer_data: null,
  trial_end: null,
  trial_start: null,
}

/** One item of a subscription created at `created`, in seconds. */
export const itemObject = (
  moment: Moment,
  fields: { subscription: string; created: number; price: string; quantity: number },
): SubscriptionItem => {
  const { subscription, created, price, quantity } = fields
  // Fields of every item at Stripe that are not used here.
  const rest = { created, discounts: [], billing_thresholds: null, tax_rates: [] }
  return {
    ...rest,
    object: 'subscription_item',
    id: moment.id('si'),
    subscription,
    quantity,
    metadata: {},
    current_period_start: created,
    current_period_end: created + month,
    price: priceObject(moment, price),
  }
}

export function subscriptionObject(
  moment: Moment,
  fields: Pick<Subscription, 'customer' | 'status' | 'metadata'> & { price: string },
): Subscription {
  const { price, ...rest } = fields
  const own = common(moment, 'sub')
  const { id, created } = own
  const item = itemObject(moment, { subscription: id, created, price, quantity: 1 })
  return like('subscription', {
    object: 'subscription',
    ...own,
    ...unscheduled,
    ...rest,
    billing_cycle_anchor: created,
    start_date: created,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    ended_at: null,
    collection_method: 'charge_automatically',
    currency,
    latest_invoice: null,
    items: {
      object: 'list',
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
      data: [item],
    },
  })
}

/** The fields that an order sets. */
export type SessionFields = Pick<
  Session,
  | 'customer'
  | 'success_url'
  | 'cancel_url'
  | 'client_reference_id'
  | 'allow_promotion_codes'
  | 'automatic_tax'
  | 'metadata'
>

/** How long Stripe keeps a checkout session open. */
const checkoutLife = 86_400

export function sessionObject(moment: Moment, origin: string, fields: SessionFields): Session {
  const own = common(moment, `cs_${moment.live ? 'live' : 'test'}`)
  return like('checkout.session', {
    object: 'checkout.session',
    ...own,
    ...fields,
    mode: 'subscription',
    status: 'open',
    payment_status: 'unpaid',
    url: `${origin}/pay/${own.id}`,
    subscription: null,
    payment_intent: null,
    expires_at: own.created + checkoutLife,
  })
}

export const invoiceObject = (
  moment: Moment,
  fields: Pick<Invoice, 'customer' | 'status'> & { subscription: string },
): Invoice => {
  const { subscription, customer, status } = fields
  const left = status === 'paid' ? 0 : monthly
  return like('invoice', {
    object: 'invoice',
    ...common(moment, 'in'),
    customer,
    status,
    currency,
    amount_due: monthly,
    amount_paid: monthly - left,
    amount_remaining: left,
    total: monthly,
    subtotal: monthly,
    attempted: true,
    attempt_count: 1,
    billing_reason: 'subscription_cycle',
    last_finalization_error: null,
    parent: {
      type: 'subscription_details',
      quote_details: null,
      subscription_details: { metadata: null, subscription },
    },
  })
}

export const chargeObject = (moment: Moment, customer: string): Charge =>
  like('charge', {
    object: 'charge',
    ...common(moment, 'ch'),
    customer,
    amount: monthly,
    amount_captured: monthly,
    captured: true,
    currency,
    disputed: false,
    payment_intent: moment.id('pi'),
  })

/** A cardholder's bank allows a week for a response. */
const answerTime = 7 * 86_400

export const disputeObject = (moment: Moment, charge: Charge): Dispute =>
  like('dispute', {
    object: 'dispute',
    ...common(moment, 'dp'),
    charge: charge.id,
    payment_intent: charge.payment_intent,
    amount: charge.amount,
    currency: charge.currency,
    reason: 'fraudulent',
    status: 'needs_response',
    is_charge_refundable: false,
    evidence_details: {
      due_by: moment.now() + answerTime,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      enhanced_eligibility: {},
    },
  })

export const portalObject = (moment: Moment, fields: { customer: string; return_url: string; url: string }) =>
  like('billing_portal.session', {
    object: 'billing_portal.session',
    ...common(moment, 'bps'),
    flow: null,
    ...fields,
  })

export const eventObject = (moment: Moment, type: string, object: unknown): Event =>
  like('event', {
    object: 'event',
    ...common(moment, 'evt'),
    type,
    api_version: '2026-10-28.endive',
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: { object: structuredClone(object) },
  })
