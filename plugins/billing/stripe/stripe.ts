import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import type { StripeSettings } from '../settings.ts'
import { StripeFailure } from './failure.ts'
import {
  accountKey,
  asCheckoutPage,
  asCustomer,
  asDispute,
  asEvent,
  asSubscription,
  type CheckoutPage,
  orderKey,
  type StripeCustomer,
  type StripeDispute,
  type StripeEvent,
  type StripeSubscription,
} from './objects.ts'

export interface Order {
  customerId: string
  accountId: string
  subdomain: string | null
  price: string
  /** Where the browser comes back to. */
  backTo: { done: string; given: string }
}

export interface StripeAccess {
  /** Real money, or Stripe's test mode: the key says which. */
  readonly live: boolean
  /** Returns the id of the account's customer. Finds the one that an earlier request made even when its answer was lost. */
  createCustomer(account: { id: string; email: string }): Promise<string>
  customer(customerId: string): Promise<StripeCustomer>
  updateEmail(customerId: string, email: string): Promise<void>
  /** Ends a subscription now. Does nothing when it has ended already. */
  cancel(subscriptionId: string): Promise<void>
  /** Identifies an order on its checkout page, so that an open page can be found again. */
  digest(order: Order): string
  /** The customer's checkout pages for subscriptions, newest first: all that are open, and the latest of the others. */
  checkoutPages(customerId: string): Promise<CheckoutPage[]>
  /** Opens a checkout page and returns its URL. Look through `checkoutPages` first: each call opens another page. */
  startCheckout(order: Order): Promise<string>
  /** Closes a checkout page: nothing can be paid there any more. Returns false when it was paid before. */
  endCheckout(pageId: string): Promise<boolean>
  /** Returns the URL of the billing portal, where the customer changes cards, sees invoices and cancels. */
  openPortal(customerId: string, backTo: string): Promise<string>
  /** Every subscription that the customer has or had. */
  subscriptionsOf(customerId: string, signal?: AbortSignal): Promise<StripeSubscription[]>
  /** Disputes opened since then (ms since the epoch). */
  disputes(since: number, signal?: AbortSignal): Promise<StripeDispute[]>
  /** Reads a signed webhook. Returns null when the signature is not ours, or is dated more than five minutes from `now` (ms). */
  readEvent(payload: Uint8Array, signature: string, now: number): StripeEvent | null
}

const toleranceSeconds = 300

/** Opens the one way to Stripe. The library is loaded only where billing is set up. */
export async function openStripe(settings: StripeSettings): Promise<StripeAccess> {
  const { default: StripeSdk } = await import('stripe')
  const { protocol, hostname, port } = settings.apiBase
  const sdk = new StripeSdk(settings.secretKey, {
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    timeout: 20_000,
    maxNetworkRetries: 1,
    telemetry: false,
    appInfo: { name: 'Longhouse' },
  })
  return new StripeClient(sdk, StripeSdk.errors, settings)
}

/** Stripe's API, as far as we use it. Every call that fails throws a StripeFailure. */
class StripeClient implements StripeAccess {
  readonly live: boolean
  readonly #sdk: Stripe
  readonly #errors: typeof Stripe.errors
  readonly #settings: StripeSettings

  constructor(sdk: Stripe, errors: typeof Stripe.errors, settings: StripeSettings) {
    this.live = /^.k_live_/.test(settings.secretKey)
    this.#sdk = sdk
    this.#errors = errors
    this.#settings = settings
  }

  // No idempotency keys of our own, here and below. Stripe answers a key for a day with its first answer, its own
  // failures included. The library gives each request a key that only its retries share.
  createCustomer({ id, email }: { id: string; email: string }): Promise<string> {
    return this.#ask(async ({ customers }) => {
      for await (const each of customers.list({ email, limit: 100 })) {
        if (each.metadata[accountKey] === id) return each.id
      }
      return (await customers.create({ email, metadata: { [accountKey]: id } })).id
    })
  }

  async customer(customerId: string): Promise<StripeCustomer> {
    try {
      return await this.#ask(async sdk => asCustomer(await sdk.customers.retrieve(customerId)))
    } catch (error) {
      if (error instanceof StripeFailure && error.missing) return { state: 'unknown' }
      throw error
    }
  }

  updateEmail(customerId: string, email: string): Promise<void> {
    return this.#ask(async sdk => void (await sdk.customers.update(customerId, { email })))
  }

  cancel(subscriptionId: string): Promise<void> {
    return this.#ask(async sdk => {
      try {
        await sdk.subscriptions.cancel(subscriptionId)
      } catch (error) {
        if ((error as { code?: string }).code !== 'resource_missing') throw error
      }
    })
  }

  digest(order: Order): string {
    return String(this.#sessionOf(order).metadata?.[orderKey])
  }

  checkoutPages(customer: string): Promise<CheckoutPage[]> {
    return this.#ask(async ({ checkout: { sessions } }) => {
      const open = sessions.list({ customer, status: 'open', limit: 100 })
      const [payable, latest] = await Promise.all([
        all(open, each => each),
        sessions.list({ customer, limit: 10 }),
      ])
      const pages = new Map([...latest.data, ...payable].map(each => [each.id, each]))
      return [...pages.values()]
        .filter(({ mode }) => mode === 'subscription')
        .sort((a, b) => b.created - a.created)
        .map(asCheckoutPage)
    })
  }

  startCheckout(order: Order): Promise<string> {
    return this.#ask(async sdk => {
      const { url } = await sdk.checkout.sessions.create(this.#sessionOf(order))
      if (!url) throw new StripeFailure('this order is already paid', { permanent: true })
      return url
    })
  }

  endCheckout(pageId: string): Promise<boolean> {
    return this.#ask(async ({ checkout: { sessions } }) => {
      try {
        await sessions.expire(pageId)
        return true
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode !== 400) throw error
        // Stripe ends only pages that are open.
        const { status } = await sessions.retrieve(pageId)
        if (status === 'open') throw error
        return status !== 'complete'
      }
    })
  }

  openPortal(customer: string, backTo: string): Promise<string> {
    return this.#ask(
      async sdk => (await sdk.billingPortal.sessions.create({ customer, return_url: backTo })).url,
    )
  }

  subscriptionsOf(customer: string, signal?: AbortSignal): Promise<StripeSubscription[]> {
    return this.#ask(async sdk => {
      const list = sdk.subscriptions.list({ customer, status: 'all', limit: 100 })
      const found: StripeSubscription[] = []
      for (const each of await all(list, one => one, signal)) {
        const items = each.items.has_more
          ? await all(sdk.subscriptionItems.list({ subscription: each.id, limit: 100 }), one => one, signal)
          : each.items.data
        found.push(asSubscription(each, items))
      }
      return found
    })
  }

  disputes(since: number, signal?: AbortSignal): Promise<StripeDispute[]> {
    return this.#ask(sdk => {
      const created = { gte: Math.floor(since / 1000) }
      return all(sdk.disputes.list({ created, limit: 100, expand: ['data.charge'] }), asDispute, signal)
    })
  }

  readEvent(payload: Uint8Array, signature: string, now: number): StripeEvent | null {
    // The library refuses dates that are too old but accepts any in the future, which could be replayed until then.
    if (datedAfter(signature, now / 1000 + toleranceSeconds)) return null
    const signed = Buffer.from(payload)
    for (const secret of this.#settings.webhookSecrets) {
      try {
        return asEvent(
          this.#sdk.webhooks.constructEvent(signed, signature, secret, toleranceSeconds, undefined, now),
        )
      } catch (error) {
        // Signed well but not an event: another secret would not help.
        if (!(error instanceof this.#errors.StripeSignatureVerificationError)) return null
      }
    }
    return null
  }

  #sessionOf(order: Order): Stripe.Checkout.SessionCreateParams {
    const metadata = {
      [accountKey]: order.accountId,
      ...(order.subdomain === null ? {} : { subdomain: order.subdomain }),
    }
    const params: Stripe.Checkout.SessionCreateParams = {
      mode: 'subscription',
      customer: order.customerId,
      client_reference_id: order.accountId,
      line_items: [{ price: order.price, quantity: 1 }],
      success_url: order.backTo.done,
      cancel_url: order.backTo.given,
      allow_promotion_codes: true,
      subscription_data: { metadata },
      ...(this.#settings.tax
        ? { automatic_tax: { enabled: true }, customer_update: { address: 'auto', name: 'auto' } }
        : {}),
    }
    return { ...params, metadata: { ...metadata, [orderKey]: digestOf(params) } }
  }

  async #ask<T>(work: (sdk: Stripe) => Promise<T>): Promise<T> {
    try {
      return await work(this.#sdk)
    } catch (error) {
      throw asFailure(error, this.#errors)
    }
  }
}

/** Reads a list of Stripe's to its end, page by page. */
async function all<From, To>(
  list: AsyncIterable<From>,
  read: (each: From) => To,
  signal?: AbortSignal,
): Promise<To[]> {
  const found: To[] = []
  for await (const each of list) {
    signal?.throwIfAborted()
    found.push(read(each))
  }
  return found
}

/** Whether a `Stripe-Signature` header names any time later than `seconds` since the epoch. */
function datedAfter(signature: string, seconds: number): boolean {
  return signature.split(',').some(part => {
    const [name, value] = part.split('=')
    // Read as the library reads it: what follows the digits must not hide them.
    return name?.trim() === 't' && Number.parseInt(value ?? '', 10) > seconds
  })
}

const digestOf = (params: object) => createHash('sha256').update(JSON.stringify(params)).digest('base64url')

function asFailure(error: unknown, errors: typeof Stripe.errors): StripeFailure {
  if (error instanceof StripeFailure) return error
  const { message } = error as Error
  if (!(error instanceof errors.StripeError))
    return new StripeFailure(message, { permanent: false, cause: error })
  const { statusCode = 0 } = error
  const permanent = statusCode >= 400 && statusCode < 500 && statusCode !== 409 && statusCode !== 429
  const missing = error.code === 'resource_missing'
  return new StripeFailure(`Stripe: ${message}`, { permanent, missing, cause: error })
}
