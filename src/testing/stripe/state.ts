import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import {
  chargeObject,
  customerObject,
  disputeObject,
  eventObject,
  invoiceObject,
  itemObject,
  month,
  type SessionFields,
  sessionObject,
  subscriptionObject,
} from './builders.ts'
import { invalid } from './form.ts'
import type { Charge, Customer, Dispute, Event, Invoice, Session, Status, Subscription } from './objects.ts'

/**
 * The objects that Stripe keeps, and their changes. Every change makes an event; delivering it is left to the
 * stand-in.
 */
export class StripeState {
  readonly customers = new Map<string, Customer>()
  readonly subscriptions = new Map<string, Subscription>()
  readonly sessions = new Map<string, Session>()
  readonly invoices = new Map<string, Invoice>()
  readonly charges = new Map<string, Charge>()
  readonly disputes = new Map<string, Dispute>()
  /** What each checkout session sells, and the metadata of its subscription. */
  readonly #orders = new Map<string, { price: string; metadata: Record<string, string> }>()
  /** The last payment of each subscription. */
  readonly #paid = new Map<string, string>()
  /** All events, oldest first. */
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
    this.events.push(eventObject(this, type, object))
  }

  createCustomer(fields: Parameters<typeof customerObject>[1]): Customer {
    const customer = customerObject(this, fields)
    this.customers.set(customer.id, customer)
    this.#happened('customer.created', customer)
    return customer
  }

  openSession(
    origin: string,
    fields: SessionFields,
    order: { price: string; metadata: Record<string, string> },
  ): Session {
    const session = sessionObject(this, origin, fields)
    this.sessions.set(session.id, session)
    this.#orders.set(session.id, order)
    return session
  }

  /** A deleted object can only be read. */
  customer(id: string): Customer {
    const found = this.customers.get(id)
    if (!found || found.deleted)
      throw invalid(`No such customer: '${id}'`, { code: 'resource_missing', param: 'customer' })
    return found
  }

  subscription(id: string): Subscription {
    const found = this.subscriptions.get(id)
    if (!found) throw invalid(`No such subscription: '${id}'`, { code: 'resource_missing', param: 'id' }, 404)
    return found
  }

  changeCustomer(id: string, fields: Partial<Pick<Customer, 'email' | 'name'>>): Customer {
    const customer = Object.assign(this.customer(id), fields)
    this.#happened('customer.updated', customer)
    return customer
  }

  session(id: string): Session {
    this.#endOld()
    const found = this.sessions.get(id)
    if (!found)
      throw invalid(`No such checkout.session: ${id}`, { code: 'resource_missing', param: 'session' }, 404)
    return found
  }

  sessionsOf(customer: string): Session[] {
    this.#endOld()
    return [...this.sessions.values()].filter(each => each.customer === customer)
  }

  /** Ends an open checkout session, after which it cannot be paid. */
  expireSession(id: string): Session {
    const session = this.session(id)
    if (session.status !== 'open') {
      throw invalid(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
      )
    }
    Object.assign(session, { status: 'expired', url: null })
    this.#happened('checkout.session.expired', session)
    return session
  }

  #endOld(): void {
    for (const { id, status, expires_at } of this.sessions.values()) {
      if (status !== 'open' || expires_at > this.now()) continue
      Object.assign(this.sessions.get(id) ?? {}, { status: 'expired', url: null })
      this.#happened('checkout.session.expired', this.sessions.get(id))
    }
  }

  /** Completes the checkout page: a declined card leaves the subscription incomplete, and the page open. */
  completeCheckout(id: string, { declined = false }: { declined?: boolean } = {}): Subscription {
    const session = this.session(id)
    if (session.status !== 'open') throw new Error(`no open checkout session ${id}`)
    const { price, metadata } = this.#orders.get(id) ?? {}
    const status = declined ? 'incomplete' : 'active'
    const tried = session.subscription === null ? null : this.subscription(session.subscription)
    const subscription = tried ?? this.subscribe(session.customer, { metadata, status, price })
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
    options: {
      metadata?: Record<string, string> | undefined
      status?: Status
      price?: string | undefined
    } = {},
  ): Subscription {
    const { metadata = {}, status = 'active', price = [...this.prices][0] ?? 'price_none' } = options
    const subscription = subscriptionObject(this, { customer, status, metadata, price })
    this.subscriptions.set(subscription.id, subscription)
    this.#happened('customer.subscription.created', subscription)
    this.#bill(subscription, status === 'active' ? 'paid' : 'open')
    return subscription
  }

  /** The operator changes the items or the interval; the first item is the ordered one. */
  setItems(id: string, items: readonly { price: string; quantity?: number }[]): void {
    const subscription = this.subscription(id)
    subscription.items.data = items.map(({ price, quantity = 1 }) =>
      itemObject(this, { subscription: id, created: subscription.created, price, quantity }),
    )
    this.#happened('customer.subscription.updated', subscription)
  }

  /** The operator pauses collection, until `resumesAt` (in seconds) or indefinitely; null resumes it. */
  pauseCollection(id: string, pause: Subscription['pause_collection']): void {
    const subscription = this.subscription(id)
    subscription.pause_collection = pause
    this.#happened('customer.subscription.updated', subscription)
  }

  /** Starts another month, and charges the card for it. */
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

  /** Pays the open invoice: the subscription continues. */
  pay(id: string): void {
    const subscription = this.subscription(id)
    const invoice = this.invoices.get(subscription.latest_invoice ?? '')
    if (invoice?.status === 'open') {
      Object.assign(invoice, { status: 'paid', amount_paid: invoice.amount_due, amount_remaining: 0 })
      this.#charge(subscription)
      this.#happened('invoice.paid', invoice)
    }
    this.become(id, 'active')
  }

  /** Moves a subscription to another status, as Stripe's rules would. */
  become(id: string, status: Status): void {
    const subscription = this.subscription(id)
    subscription.status = status
    if (status === 'canceled' || status === 'incomplete_expired') {
      subscription.ended_at = this.now()
      subscription.canceled_at ??= this.now()
      this.#happened('customer.subscription.deleted', subscription)
    } else this.#happened('customer.subscription.updated', subscription)
  }

  /** The customer cancels: it continues to the end of the month. */
  cancelAtPeriodEnd(id: string, whether = true): void {
    const subscription = this.subscription(id)
    subscription.cancel_at_period_end = whether
    subscription.cancel_at = whether ? (subscription.items.data[0]?.current_period_end ?? null) : null
    subscription.canceled_at = whether ? this.now() : null
    this.#happened('customer.subscription.updated', subscription)
  }

  hasPaid(subscription: string): boolean {
    return this.#paid.has(subscription)
  }

  /**
   * The cardholder's bank takes the last payment back for now: the subscription continues. Returns the dispute's id.
   */
  dispute(subscription: string): string {
    const charge = this.charges.get(this.#paid.get(subscription) ?? '')
    if (!charge) throw new Error(`nothing was paid for ${subscription}`)
    const dispute = disputeObject(this, charge)
    charge.disputed = true
    this.disputes.set(dispute.id, dispute)
    this.#happened('charge.dispute.created', dispute)
    this.#happened('charge.dispute.funds_withdrawn', dispute)
    return dispute.id
  }

  /** The bank decides. Even a lost dispute does not end the subscription: the operator decides that. */
  closeDispute(id: string, status: 'won' | 'lost'): void {
    const dispute = this.disputes.get(id)
    if (!dispute) throw new Error(`no dispute ${id}`)
    dispute.status = status
    dispute.evidence_details.due_by = null
    if (status === 'won') this.#happened('charge.dispute.funds_reinstated', dispute)
    this.#happened('charge.dispute.closed', dispute)
  }

  deleteCustomer(id: string): void {
    for (const each of this.subscriptions.values()) {
      if (each.customer === id && each.status !== 'canceled') this.become(each.id, 'canceled')
    }
    const customer = this.customer(id)
    customer.deleted = true
    this.#happened('customer.deleted', customer)
  }

  #bill(subscription: Subscription, status: Invoice['status']): void {
    const { id, customer } = subscription
    const invoice = invoiceObject(this, { customer, status, subscription: id })
    this.invoices.set(invoice.id, invoice)
    subscription.latest_invoice = invoice.id
    this.#happened('invoice.created', invoice)
    if (status === 'paid') this.#charge(subscription)
    this.#happened(status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', invoice)
  }

  #charge({ id, customer }: Subscription): void {
    const charge = chargeObject(this, customer)
    this.charges.set(charge.id, charge)
    this.#paid.set(id, charge.id)
  }
}
