import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import type { StripeSettings } from './settings.ts'
import { type SubscriptionStatus, subscriptionStatuses } from './standing.ts'

/** What Stripe could not or would not do; a `permanent` failure would fail again. */
export class StripeFailure extends Error {
  readonly permanent: boolean

  constructor(message: string, { permanent, cause }: { permanent: boolean; cause?: unknown }) {
    super(message, { cause })
    this.name = 'StripeFailure'
    this.permanent = permanent
  }
}

/** A subscription as Stripe has it. Times are milliseconds since the epoch. */
export interface StripeSubscription {
  id: string
  status: SubscriptionStatus
  priceId: string | null
  createdAt: number
  periodEndsAt: number | null
  cancelAt: number | null
  endedAt: number | null
}

export interface StripeEvent {
  id: string
  type: string
  live: boolean
  createdAt: number
  customerId: string | null
}

export interface StripeAccess {
  /** Real money, or Stripe's test mode: the key says which. */
  live: boolean
  /** Asked twice, it makes one. `instead` is one that is no more. */
  createCustomer(account: { id: string; email: string }, instead?: string): Promise<string>
  /** The account that a customer was made for; null for one that is none of ours, or no more. */
  accountOf(customerId: string): Promise<string | null>
  /** Ends a subscription now. One that has ended already is as good. */
  cancel(subscriptionId: string): Promise<void>
  /** Where the browser goes on to pay. Asked twice within ten minutes, it is the same page. */
  startCheckout(order: {
    customerId: string
    accountId: string
    subdomain: string | null
    price: string
    backTo: { done: string; given: string }
  }): Promise<string>
  /** Where the browser goes on to change cards, see invoices and cancel. */
  openPortal(customerId: string, backTo: string): Promise<string>
  /** Every subscription that the customer has or had. */
  subscriptionsOf(customerId: string, signal?: AbortSignal): Promise<StripeSubscription[]>
  /** What a signed webhook says; null when the signature is none of ours, or older than five minutes. */
  readEvent(payload: Uint8Array, signature: string, now: number): StripeEvent | null
}

const toleranceSeconds = 300
const checkoutWindowMs = 10 * 60_000

/** Opens the one way to Stripe. The library is loaded only where billing is set up. */
export async function openStripe(settings: StripeSettings, now: () => number): Promise<StripeAccess> {
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
  /** The same words lead to the same key: a repetition makes nothing new, and other words are another request. */
  const once = (purpose: string, params: object) => ({
    idempotencyKey: `${purpose}-${createHash('sha256').update(JSON.stringify(params)).digest('base64url')}`,
  })

  return {
    live: /^.k_live_/.test(settings.secretKey),

    createCustomer: ({ id, email }, instead = '') =>
      ask(async () => {
        const params = { email, metadata: { [accountKey]: id } }
        return (await sdk.customers.create(params, once(`customer${instead}`, params))).id
      }),

    accountOf: customerId =>
      ask(async () => {
        const customer = await sdk.customers.retrieve(customerId)
        return customer.deleted ? null : (customer.metadata[accountKey] ?? null)
      }),

    startCheckout: ({ customerId, accountId, subdomain, price, backTo }) =>
      ask(async () => {
        const metadata = { [accountKey]: accountId, ...(subdomain === null ? {} : { subdomain }) }
        const params: Stripe.Checkout.SessionCreateParams = {
          mode: 'subscription',
          customer: customerId,
          client_reference_id: accountId,
          line_items: [{ price, quantity: 1 }],
          success_url: backTo.done,
          cancel_url: backTo.given,
          allow_promotion_codes: true,
          metadata,
          subscription_data: { metadata },
          ...(settings.tax
            ? { automatic_tax: { enabled: true }, customer_update: { address: 'auto', name: 'auto' } }
            : {}),
        }
        const window = Math.floor(now() / checkoutWindowMs)
        const { url } = await sdk.checkout.sessions.create(params, once(`checkout-${window}`, params))
        if (!url) throw new StripeFailure('this payment is done already', { permanent: true })
        return url
      }),

    openPortal: (customerId, backTo) =>
      ask(
        async () =>
          (await sdk.billingPortal.sessions.create({ customer: customerId, return_url: backTo })).url,
      ),

    subscriptionsOf: (customerId, signal) =>
      ask(async () => {
        const found: StripeSubscription[] = []
        const list = sdk.subscriptions.list({ customer: customerId, status: 'all', limit: 100 })
        for await (const each of list) {
          signal?.throwIfAborted()
          found.push(subscription(each))
        }
        return found
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

/** What a customer and a subscription carry at Stripe, so that the account is found again from there. */
const accountKey = 'longhouse_account'

const ms = (seconds: number) => seconds * 1000
const msOrNull = (seconds: number | null | undefined) => (seconds ? ms(seconds) : null)

function subscription(each: Stripe.Subscription): StripeSubscription {
  const [item] = each.items.data
  const periodEndsAt = msOrNull(item?.current_period_end)
  return {
    id: each.id,
    // A state that is not known yet must stop nobody.
    status: subscriptionStatuses.find(status => status === each.status) ?? 'active',
    priceId: item?.price.id ?? null,
    createdAt: ms(each.created),
    periodEndsAt,
    cancelAt: msOrNull(each.cancel_at) ?? (each.cancel_at_period_end ? periodEndsAt : null),
    endedAt: msOrNull(each.ended_at),
  }
}

/** Null for what is signed well and is no event all the same. */
function asEvent(event: Stripe.Event): StripeEvent | null {
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

function asFailure(error: unknown, sdk: typeof Stripe): StripeFailure {
  if (error instanceof StripeFailure) return error
  const { message } = error as Error
  if (!(error instanceof sdk.errors.StripeError))
    return new StripeFailure(message, { permanent: false, cause: error })
  const { statusCode = 0 } = error
  const permanent = statusCode >= 400 && statusCode < 500 && statusCode !== 409 && statusCode !== 429
  return new StripeFailure(`Stripe: ${message}`, { permanent, cause: error })
}
