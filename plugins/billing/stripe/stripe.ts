import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import type { StripeSettings } from '../settings.ts'
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

/** What Stripe could not or would not do; a `permanent` failure would fail again. */
export class StripeFailure extends Error {
  readonly permanent: boolean
  /** Stripe has nothing with the id that was named. */
  readonly missing: boolean

  constructor(
    message: string,
    { permanent, missing = false, cause }: { permanent: boolean; missing?: boolean; cause?: unknown },
  ) {
    super(message, { cause })
    this.name = 'StripeFailure'
    this.permanent = permanent
    this.missing = missing
  }
}

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
  live: boolean
  /** The account's customer: the one that an earlier request made, though its answer was lost, or else a new one. */
  createCustomer(account: { id: string; email: string }): Promise<string>
  customer(customerId: string): Promise<StripeCustomer>
  updateEmail(customerId: string, email: string): Promise<void>
  /** Ends a subscription now. One that has ended already is as good. */
  cancel(subscriptionId: string): Promise<void>
  /** By this an order is known again on a page where it can be paid. */
  digest(order: Order): string
  /** The customer's pages for subscriptions, newest first: those that are open, and the latest others. */
  checkoutPages(customerId: string): Promise<CheckoutPage[]>
  /** Opens a page where the order is paid. Look through `checkoutPages` first: each call opens another page. */
  startCheckout(order: Order): Promise<string>
  /** From here on nothing can be paid there. False when it was paid before. */
  endCheckout(pageId: string): Promise<boolean>
  /** Where the browser goes on to change cards, see invoices and cancel. */
  openPortal(customerId: string, backTo: string): Promise<string>
  /** Every subscription that the customer has or had. */
  subscriptionsOf(customerId: string, signal?: AbortSignal): Promise<StripeSubscription[]>
  /** What banks wanted back since then. */
  disputes(since: number, signal?: AbortSignal): Promise<StripeDispute[]>
  /** What a signed webhook says; null when the signature is not ours, or dated more than five minutes from `now` (ms). */
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
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw asFailure(error, StripeSdk)
    }
  }
  const all = async <From, To>(
    list: AsyncIterable<From>,
    read: (each: From) => To,
    signal?: AbortSignal,
  ): Promise<To[]> => {
    const found: To[] = []
    for await (const each of list) {
      signal?.throwIfAborted()
      found.push(read(each))
    }
    return found
  }
  const session = (order: Order): Stripe.Checkout.SessionCreateParams => {
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
      ...(settings.tax
        ? { automatic_tax: { enabled: true }, customer_update: { address: 'auto', name: 'auto' } }
        : {}),
    }
    return { ...params, metadata: { ...metadata, [orderKey]: digestOf(params) } }
  }

  return {
    live: /^.k_live_/.test(settings.secretKey),

    // No idempotency key of our own, here and below. Stripe answers a key for a day with what it answered first, its own
    // failures too: the library gives each request a key, which only the retries of that request share.
    createCustomer: ({ id, email }) =>
      ask(async () => {
        for await (const each of sdk.customers.list({ email, limit: 100 })) {
          if (each.metadata[accountKey] === id) return each.id
        }
        return (await sdk.customers.create({ email, metadata: { [accountKey]: id } })).id
      }),

    customer: id =>
      ask(async () => asCustomer(await sdk.customers.retrieve(id))).catch(error => {
        if (error instanceof StripeFailure && error.missing) return { state: 'unknown' as const }
        throw error
      }),

    updateEmail: (id, email) => ask(async () => void (await sdk.customers.update(id, { email }))),

    digest: order => String(session(order).metadata?.[orderKey]),

    checkoutPages: customer =>
      ask(async () => {
        const open = sdk.checkout.sessions.list({ customer, status: 'open', limit: 100 })
        const [payable, latest] = await Promise.all([
          all(open, each => each),
          sdk.checkout.sessions.list({ customer, limit: 10 }),
        ])
        const pages = new Map([...latest.data, ...payable].map(each => [each.id, each]))
        return [...pages.values()]
          .filter(({ mode }) => mode === 'subscription')
          .sort((a, b) => b.created - a.created)
          .map(asCheckoutPage)
      }),

    startCheckout: order =>
      ask(async () => {
        const { url } = await sdk.checkout.sessions.create(session(order))
        if (!url) throw new StripeFailure('this payment is done already', { permanent: true })
        return url
      }),

    endCheckout: id =>
      ask(async () => {
        try {
          await sdk.checkout.sessions.expire(id)
          return true
        } catch (error) {
          if ((error as { statusCode?: number }).statusCode !== 400) throw error
          // Stripe ends only what is open.
          const { status } = await sdk.checkout.sessions.retrieve(id)
          if (status === 'open') throw error
          return status !== 'complete'
        }
      }),

    openPortal: (customerId, backTo) =>
      ask(
        async () =>
          (await sdk.billingPortal.sessions.create({ customer: customerId, return_url: backTo })).url,
      ),

    subscriptionsOf: (customer, signal) =>
      ask(async () => {
        const list = sdk.subscriptions.list({ customer, status: 'all', limit: 100 })
        const found: StripeSubscription[] = []
        for (const each of await all(list, one => one, signal)) {
          const items = each.items.has_more
            ? await all(sdk.subscriptionItems.list({ subscription: each.id, limit: 100 }), one => one, signal)
            : each.items.data
          found.push(asSubscription(each, items))
        }
        return found
      }),

    disputes: (since, signal) =>
      ask(() => {
        const created = { gte: Math.floor(since / 1000) }
        return all(sdk.disputes.list({ created, limit: 100, expand: ['data.charge'] }), asDispute, signal)
      }),

    cancel: id =>
      ask(async () => {
        try {
          await sdk.subscriptions.cancel(id)
        } catch (error) {
          if ((error as { code?: string }).code !== 'resource_missing') throw error
        }
      }),

    readEvent: (payload, signature, at) => {
      // The library refuses what is too old and accepts any date to come, which could be replayed until then.
      if (datedAfter(signature, at / 1000 + toleranceSeconds)) return null
      for (const secret of settings.webhookSecrets) {
        try {
          const signed = Buffer.from(payload)
          const event = sdk.webhooks.constructEvent(
            signed,
            signature,
            secret,
            toleranceSeconds,
            undefined,
            at,
          )
          return asEvent(event)
        } catch (error) {
          // Signed well but no event: that is no matter of another secret.
          if (!(error instanceof StripeSdk.errors.StripeSignatureVerificationError)) return null
        }
      }
      return null
    },
  }
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

function asFailure(error: unknown, sdk: typeof Stripe): StripeFailure {
  if (error instanceof StripeFailure) return error
  const { message } = error as Error
  if (!(error instanceof sdk.errors.StripeError))
    return new StripeFailure(message, { permanent: false, cause: error })
  const { statusCode = 0 } = error
  const permanent = statusCode >= 400 && statusCode < 500 && statusCode !== 409 && statusCode !== 429
  const missing = error.code === 'resource_missing'
  return new StripeFailure(`Stripe: ${message}`, { permanent, missing, cause: error })
}
