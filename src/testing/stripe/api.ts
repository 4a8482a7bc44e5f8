import { deletedCustomer, portalObject } from './builders.ts'
import { checkFields, type Fields, invalid, text, type Value } from './form.ts'
import { expansions, listFields, listOf } from './listing.ts'
import type { Session, Subscription } from './objects.ts'
import type { StripeState } from './state.ts'

export interface Call {
  method: string
  path: string
  params: Record<string, Value>
  /** The origin of the stand-in's own pages. */
  origin: string
}

const metadata: Fields = { '*': 'any' }
const customerFields: Fields = { email: 'any', name: 'any', metadata }
const sessionFields: Fields = {
  mode: 'any',
  customer: 'any',
  client_reference_id: 'any',
  line_items: { '*': { price: 'any', quantity: 'any' } },
  success_url: 'any',
  cancel_url: 'any',
  allow_promotion_codes: 'any',
  automatic_tax: { enabled: 'any' },
  customer_update: { address: 'any', name: 'any' },
  metadata,
  subscription_data: { metadata },
}
const statuses =
  'active, all, canceled, ended, incomplete, incomplete_expired, past_due, paused, trialing, unpaid'

/** The Stripe endpoints in use; any other is refused as Stripe refuses unknown ones. */
export function answerCall(state: StripeState, { method, path, params, origin }: Call): unknown {
  const at = (verb: string, pattern: RegExp) => (method === verb ? pattern.exec(path) : null)
  const strings = (name: string) => (params[name] ?? {}) as Record<string, string>

  if (at('POST', /^\/v1\/customers$/)) {
    checkFields(params, customerFields)
    const email = params.email === undefined ? null : text(params, 'email')
    return state.createCustomer({ email, metadata: strings('metadata') })
  }
  if (at('GET', /^\/v1\/customers$/)) {
    checkFields(params, { ...listFields, email: 'any' })
    const there = [...state.customers.values()].filter(each => !each.deleted)
    const email = params.email as string | undefined
    const found = there.filter(each => email === undefined || each.email === email)
    return listOf('/v1/customers', found, params)
  }
  const shown = at('GET', /^\/v1\/customers\/(\w+)$/)
  if (shown) {
    checkFields(params, {})
    const found = state.customers.get(shown[1] ?? '')
    if (!found)
      throw invalid(`No such customer: '${shown[1]}'`, { code: 'resource_missing', param: 'id' }, 404)
    return found.deleted ? deletedCustomer(found) : found
  }
  const changed = at('POST', /^\/v1\/customers\/(\w+)$/)
  if (changed) {
    checkFields(params, { email: 'any', name: 'any' })
    return state.changeCustomer(changed[1] ?? '', params)
  }

  if (at('POST', /^\/v1\/checkout\/sessions$/)) {
    checkFields(params, sessionFields)
    return openSession(state, params, origin)
  }
  if (at('GET', /^\/v1\/checkout\/sessions$/)) {
    checkFields(params, { ...listFields, customer: 'any', status: 'any' })
    return listSessions(state, params)
  }
  const session = at('GET', /^\/v1\/checkout\/sessions\/(\w+)$/)
  if (session) {
    checkFields(params, {})
    return state.session(session[1] ?? '')
  }
  const expired = at('POST', /^\/v1\/checkout\/sessions\/(\w+)\/expire$/)
  if (expired) {
    checkFields(params, {})
    return state.expireSession(expired[1] ?? '')
  }

  if (at('POST', /^\/v1\/billing_portal\/sessions$/)) {
    checkFields(params, { customer: 'any', return_url: 'any' })
    const { id: customer } = state.customer(text(params, 'customer'))
    const back = text(params, 'return_url')
    const url = `${origin}/portal/${customer}?back=${encodeURIComponent(back)}`
    return portalObject(state, { customer, return_url: back, url })
  }

  if (at('GET', /^\/v1\/subscriptions$/)) {
    checkFields(params, { ...listFields, customer: 'any', status: 'any' })
    return listSubscriptions(state, params)
  }
  const one = at('GET', /^\/v1\/subscriptions\/(\w+)$/)
  if (one) return brief(state.subscription(one[1] ?? ''))
  if (at('GET', /^\/v1\/subscription_items$/)) {
    checkFields(params, { ...listFields, subscription: 'any' })
    const { items } = state.subscription(text(params, 'subscription'))
    return listOf('/v1/subscription_items', items.data.toReversed(), params)
  }

  const cancelled = at('DELETE', /^\/v1\/subscriptions\/(\w+)$/)
  if (cancelled) {
    const { id, status } = state.subscription(cancelled[1] ?? '')
    if (status === 'canceled')
      throw invalid(`No such subscription: '${id}'`, { code: 'resource_missing' }, 404)
    state.become(id, 'canceled')
    return state.subscription(id)
  }

  if (at('GET', /^\/v1\/disputes$/)) {
    const created = { gte: 'any', gt: 'any', lte: 'any', lt: 'any' } as const
    checkFields(params, { ...listFields, created })
    return listDisputes(state, params)
  }

  throw invalid(`Unrecognized request URL (${method}: ${path}).`, {}, 404)
}

function openSession(state: StripeState, params: Record<string, Value>, origin: string): Session {
  if (text(params, 'mode') !== 'subscription')
    throw invalid('Invalid mode: must be subscription', { param: 'mode' })
  const customer = state.customer(text(params, 'customer'))
  const items = Object.values((params.line_items ?? {}) as Record<string, Record<string, string>>)
  if (items.length === 0) throw invalid('Missing required param: line_items.', { param: 'line_items' })
  for (const { price = '' } of items) {
    if (!state.prices.has(price)) {
      throw invalid(`No such price: '${price}'`, { code: 'resource_missing', param: 'line_items[0][price]' })
    }
  }
  for (const name of ['success_url', 'cancel_url']) {
    if (!URL.canParse(text(params, name)))
      throw invalid('Not a valid URL', { code: 'url_invalid', param: name })
  }
  const metadataOf = (given: unknown) => (given ?? {}) as Record<string, string>
  const fields = {
    customer: customer.id,
    success_url: text(params, 'success_url'),
    cancel_url: text(params, 'cancel_url'),
    client_reference_id: (params.client_reference_id as string | undefined) ?? null,
    allow_promotion_codes:
      params.allow_promotion_codes === undefined ? null : params.allow_promotion_codes === 'true',
    automatic_tax: {
      enabled: (params.automatic_tax as Record<string, Value> | undefined)?.enabled === 'true',
      ...{ liability: { type: 'self' }, provider: null, status: null },
    },
    metadata: metadataOf(params.metadata),
  }
  const { subscription_data: later } = params as { subscription_data?: { metadata?: unknown } }
  return state.openSession(origin, fields, {
    price: items[0]?.price ?? '',
    metadata: metadataOf(later?.metadata),
  })
}

function listSessions(state: StripeState, params: Record<string, Value>): unknown {
  const { status } = params
  if (status !== undefined && !['open', 'complete', 'expired'].includes(String(status))) {
    throw invalid('Invalid status: must be one of open, expired, or complete', { param: 'status' })
  }
  const { id } = state.customer(text(params, 'customer'))
  const all = state.sessionsOf(id).filter(each => status === undefined || each.status === status)
  return listOf('/v1/checkout/sessions', all, params)
}

function listSubscriptions(state: StripeState, params: Record<string, Value>): unknown {
  const status = (params.status as string | undefined) ?? ''
  if (status !== '' && !statuses.split(', ').includes(status)) {
    throw invalid(`Invalid status: must be one of ${statuses}`, { param: 'status' })
  }
  const customer = params.customer as string | undefined
  if (customer !== undefined) state.customer(customer)
  const all = [...state.subscriptions.values()]
    .filter(each => customer === undefined || each.customer === customer)
    .filter(each => status === 'all' || (status === '' ? each.status !== 'canceled' : each.status === status))
  const list = listOf('/v1/subscriptions', all, params)
  return { ...list, data: list.data.map(brief) }
}

/** A subscription contains at most this many of its items; the others are listed separately. */
const mostItems = 10

function brief(subscription: Subscription): Subscription {
  const { data } = subscription.items
  const items = {
    ...subscription.items,
    data: data.slice(0, mostItems),
    has_more: data.length > mostItems,
  }
  return { ...subscription, items }
}

function listDisputes(state: StripeState, params: Record<string, Value>): unknown {
  const full = expansions(params, ['data.charge', 'data.payment_intent'])
  const { gte = '0' } = (params.created ?? {}) as Record<string, string>
  const since = [...state.disputes.values()].filter(each => each.created >= Number(gte))
  const list = listOf('/v1/disputes', since, params)
  return full.has('data.charge')
    ? { ...list, data: list.data.map(each => ({ ...each, charge: state.charges.get(each.charge) })) }
    : list
}
