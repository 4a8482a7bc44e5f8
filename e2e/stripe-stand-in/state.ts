import { randomBytes } from 'node:crypto'
import type { Clock } from '../../src/clock.ts'
import { invalid } from './form.ts'
import type { Customer, Event, Invoice, Session, Status, Subscription } from './objects.ts'

const month = 30 * 86_400

/** What Stripe keeps, and what happens to it. Every change is an event; who delivers it is somebody else's matter. */
export class StripeState {
  readonly customers = new Map<string, Customer>()
  readonly subscriptions = new Map<string, Subscription>()
  readonly sessions = new Map<string, Session>()
  readonly invoices = new Map<string, Invoice>()
  /** Everything that ever happened, oldest first. */
  readonly events: Event[] = []
  readonly live: boolean
  readonly prices: ReadonlySet<string>
  readonly #clock: Clock

  constructor(options: { clock: Clock; live: boolean; prices: readonly string[] }) {
    this.#clock = options.clock
    this.live = options.live
    this.prices = new Set(options.prices)
  }

  now(): number {
    return Math.floor(this.#clock.now() / 1000)
  }

  id(prefix: string): string {
    return `${prefix}_${randomBytes(12).toString('hex')}`
  }

  #happened(type: string, object: unknown): void {
    this.events.push({
      object: 'event',
      id: this.id('evt'),
      type,
      api_version: '2026-10-28.endive',
      created: this.now(),
      livemode: this.live,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      data: { object: structuredClone(object) },
    })
  }

  createCustomer(fields: Pick<Customer, 'email' | 'metadata'>): Customer {
    const customer: Customer = {
      object: 'customer',
      id: this.id('cus'),
      ...fields,
      created: this.now(),
      livemode: this.live,
    }
    this.customers.set(customer.id, customer)
    this.#happened('customer.created', customer)
    return customer
  }

  customer(id: string): Customer {
    const found = this.customers.get(id)
    if (!found) throw invalid(`No such customer: '${id}'`, { code: 'resource_missing', param: 'customer' })
    return found
  }

  subscription(id: string): Subscription {
    const found = this.subscriptions.get(id)
    if (!found) throw invalid(`No such subscription: '${id}'`, { code: 'resource_missing', param: 'id' }, 404)
    return found
  }

  /** Somebody finished the checkout page: a declined card leaves the subscription incomplete, and the page open. */
  completeCheckout(id: string, { declined = false }: { declined?: boolean } = {}): Subscription {
    const session = this.sessions.get(id)
    if (session?.status !== 'open') throw new Error(`no open checkout session ${id}`)
    const price = session.line_items.data[0]?.price
    const status = declined ? 'incomplete' : 'active'
    const tried = session.subscription === null ? null : this.subscription(session.subscription)
    const subscription =
      tried ?? this.subscribe(session.customer, { metadata: session.metadata, status, price })
    session.subscription = subscription.id
    if (tried && !declined) this.pay(tried.id)
    if (!declined) {
      Object.assign(session, { status: 'complete', payment_status: 'paid', url: null })
      this.#happened('checkout.session.completed', session)
    }
    return subscription
  }

  subscribe(
    customer: string,
    options: { metadata?: Record<string, string>; status?: Status; price?: string | undefined } = {},
  ): Subscription {
    const { metadata = {}, status = 'active' } = options
    const [id, now] = [this.id('sub'), this.now()]
    const price = options.price ?? [...this.prices][0] ?? 'price_none'
    const subscription: Subscription = {
      object: 'subscription',
      id,
      customer,
      status,
      metadata,
      created: now,
      livemode: this.live,
      cancel_at: null,
      cancel_at_period_end: false,
      canceled_at: null,
      ended_at: null,
      collection_method: 'charge_automatically',
      currency: 'eur',
      latest_invoice: null,
      items: {
        object: 'list',
        has_more: false,
        url: `/v1/subscription_items?subscription=${id}`,
        data: [
          {
            object: 'subscription_item',
            id: this.id('si'),
            subscription: id,
            quantity: 1,
            metadata: {},
            current_period_start: now,
            current_period_end: now + month,
            price: {
              object: 'price',
              id: price,
              active: true,
              currency: 'eur',
              unit_amount: 900,
              type: 'recurring',
            },
          },
        ],
      },
    }
    this.subscriptions.set(id, subscription)
    this.#happened('customer.subscription.created', subscription)
    this.#bill(subscription, status === 'active' ? 'paid' : 'open')
    return subscription
  }

  /** Another month begins and the card is charged for it. */
  renew(id: string, card: 'good' | 'bad' = 'good'): void {
    const subscription = this.subscription(id)
    const [item] = subscription.items.data
    if (item) {
      item.current_period_start = item.current_period_end
      item.current_period_end += month
    }
    this.#bill(subscription, card === 'good' ? 'paid' : 'open')
    if (card === 'bad') this.become(id, 'past_due')
  }

  /** What is open is paid: the subscription goes on. */
  pay(id: string): void {
    const subscription = this.subscription(id)
    const invoice = this.invoices.get(subscription.latest_invoice ?? '')
    if (invoice?.status === 'open') {
      invoice.status = 'paid'
      this.#happened('invoice.paid', invoice)
    }
    this.become(id, 'active')
  }

  /** A subscription moves to another status, as Stripe's own rules would have it. */
  become(id: string, status: Status): void {
    const subscription = this.subscription(id)
    subscription.status = status
    if (status === 'canceled' || status === 'incomplete_expired') {
      subscription.ended_at = this.now()
      subscription.canceled_at ??= this.now()
      this.#happened('customer.subscription.deleted', subscription)
    } else this.#happened('customer.subscription.updated', subscription)
  }

  /** The customer cancels: it goes on until the month is over. */
  cancelAtPeriodEnd(id: string, whether = true): void {
    const subscription = this.subscription(id)
    subscription.cancel_at_period_end = whether
    subscription.cancel_at = whether ? (subscription.items.data[0]?.current_period_end ?? null) : null
    subscription.canceled_at = whether ? this.now() : null
    this.#happened('customer.subscription.updated', subscription)
  }

  /** The cardholder's bank takes the money back, for now: the subscription goes on. */
  dispute(id: string): void {
    const { customer } = this.subscription(id)
    this.#happened('charge.dispute.created', { object: 'dispute', id: this.id('dp'), customer })
  }

  deleteCustomer(id: string): void {
    for (const each of this.subscriptions.values()) {
      if (each.customer === id && each.status !== 'canceled') this.become(each.id, 'canceled')
    }
    this.customer(id).deleted = true
    this.#happened('customer.deleted', this.customer(id))
  }

  #bill(subscription: Subscription, status: Invoice['status']): void {
    const invoice: Invoice = {
      object: 'invoice',
      id: this.id('in'),
      customer: subscription.customer,
      status,
      amount_due: 900,
      attempt_count: 1,
      created: this.now(),
      livemode: this.live,
      parent: { type: 'subscription_details', subscription_details: { subscription: subscription.id } },
    }
    this.invoices.set(invoice.id, invoice)
    subscription.latest_invoice = invoice.id
    this.#happened('invoice.created', invoice)
    this.#happened(status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', invoice)
  }
}
