import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kind, published } from './published.ts'
import { secretKey, startStripe } from './stand-in.ts'

/** Where the example shows a value and the stand-in has none; each is one that Stripe may leave out too. */
const emptyHere: Partial<Record<Kind, Record<string, string>>> = {
  customer: { discount: 'nobody is given one' },
  price: {
    custom_unit_amount: 'the price is fixed',
    transform_quantity: 'one is one',
  },
  subscription: {
    cancel_at: 'set once it is cancelled',
    canceled_at: 'set once it is cancelled',
    ended_at: 'set once it has ended',
    billing_thresholds: 'it bills by the month',
    'items.data.billing_thresholds': 'it bills by the month',
    'items.data.price.custom_unit_amount': 'the price is fixed',
    'items.data.price.transform_quantity': 'one is one',
    next_pending_invoice_item_invoice: 'nothing is billed in between',
    pending_invoice_item_interval: 'nothing is billed in between',
    pause_collection: 'set while it is paused',
    pending_update: 'a change is applied at once',
    transfer_data: 'nobody else gets a share',
    trial_end: 'the trial is not Stripe’s',
    trial_start: 'the trial is not Stripe’s',
  },
  'checkout.session': {
    payment_intent: 'a subscription has its invoice instead',
    url: 'nothing can be paid there any more',
  },
  invoice: {
    last_finalization_error: 'it was finalized',
    'parent.quote_details': 'it is of a subscription',
  },
  dispute: { 'evidence_details.due_by': 'it is closed' },
  'billing_portal.session': { flow: 'the whole portal is opened' },
}

/** What the product reads, with the types that it may meet. */
const read: Record<Kind, Record<string, string>> = {
  customer: { id: 'string', metadata: 'object' },
  deleted_customer: { id: 'string', deleted: 'boolean' },
  subscription: {
    id: 'string',
    status: 'string',
    created: 'number',
    cancel_at: 'number|null',
    cancel_at_period_end: 'boolean',
    ended_at: 'number|null',
    items: 'object',
    'items.data': 'list',
    'items.data.current_period_end': 'number',
    'items.data.price': 'object',
    'items.data.price.id': 'string',
    customer: 'string',
  },
  'checkout.session': {
    id: 'string',
    status: 'string',
    mode: 'string',
    url: 'string|null',
    metadata: 'object',
    created: 'number',
    expires_at: 'number',
    subscription: 'string|null',
    customer: 'string',
  },
  invoice: { customer: 'string' },
  'billing_portal.session': { url: 'string' },
  event: {
    id: 'string',
    type: 'string',
    livemode: 'boolean',
    created: 'number',
    data: 'object',
    'data.object': 'object',
  },
  price: { id: 'string' },
  charge: { customer: 'string' },
  dispute: {
    id: 'string',
    charge: 'string|object',
    amount: 'number',
    currency: 'string',
    reason: 'string',
    status: 'string',
    evidence_details: 'object',
    'evidence_details.due_by': 'number|null',
    created: 'number',
  },
}

/** A reason that nothing needs any more is to go. */
const unused = new Set(
  Object.entries(emptyHere).flatMap(([kind, paths]) => Object.keys(paths).map(path => `${kind}: ${path}`)),
)

type Json = Record<string, unknown>

const typeOf = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : (typeof value as string)

/** Everything that is said, by its path; a list is looked at by its first. What carries names of people's own is not entered. */
function fieldsOf(value: Json, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [name, field] of Object.entries(value)) {
    const path = prefix + name
    found.set(path, typeOf(field))
    const inner: unknown = Array.isArray(field) ? field[0] : field
    if (typeOf(inner) !== 'object' || path === 'metadata' || path === 'data.object') continue
    for (const [deeper, type] of fieldsOf(inner as Json, `${path}.`)) found.set(deeper, type)
  }
  return found
}

/** What an object lacks that Stripe's example of its kind has, or has of another type. */
function differences(kind: Kind, object: Json): string[] {
  const [have, example] = [fieldsOf(object), fieldsOf(published.resources[kind])]
  const empty = new Set(Object.keys(emptyHere[kind] ?? {}).filter(path => have.get(path) === 'null'))
  for (const path of empty) unused.delete(`${kind}: ${path}`)
  const said: string[] = []
  for (const [path, type] of example) {
    const inEmpty = [...empty].some(each => path.startsWith(`${each}.`))
    // The example may have a list full that is empty here.
    const parent = path.slice(0, path.lastIndexOf('.'))
    const inEmptyList = have.get(parent) === 'list' || have.get(parent) === undefined
    if (inEmpty || (parent !== '' && !have.has(path) && inEmptyList)) continue
    const has = have.get(path)
    if (has === undefined) said.push(`${kind}: no ${path}`)
    else if (type !== 'null' && has !== type && !empty.has(path)) said.push(`${kind}: ${path} is ${has}`)
  }
  for (const [path, types] of Object.entries(read[kind])) {
    const has = have.get(path) ?? 'missing'
    if (!types.split('|').includes(has)) said.push(`${kind}: ${path} is read and is ${has}`)
  }
  return said
}

test('every object has every field of Stripe’s example of its kind, with the same type', async t => {
  const { env, state } = await startStripe(t)
  const ask = async (method: string, path: string, form?: Record<string, string>): Promise<Json> => {
    const reply = await fetch(`${env.STRIPE_API_BASE}/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${secretKey}` },
      body: form ? new URLSearchParams(form) : null,
    })
    const body = (await reply.json()) as Json
    assert.equal(reply.status, 200, JSON.stringify(body))
    return body
  }
  const first = async (path: string) => ((await ask('GET', path)).data as Json[])[0] ?? {}
  const seen = new Map<Kind, number>()
  const said = new Set<string>()
  const look = (kind: Kind, object: Json) => {
    seen.set(kind, (seen.get(kind) ?? 0) + 1)
    for (const each of differences(kind, object)) said.add(each)
  }

  const customer = await ask('POST', '/customers', { email: 'ada@example.com', 'metadata[a]': '1' })
  const id = String(customer.id)
  look('customer', customer)
  look('customer', await ask('POST', `/customers/${id}`, { email: 'ada@lovelace.example' }))
  const order = {
    mode: 'subscription',
    customer: id,
    'line_items[0][price]': 'price_basic',
    'line_items[0][quantity]': '1',
    success_url: 'https://example.com/done',
    cancel_url: 'https://example.com/given',
    'subscription_data[metadata][b]': '2',
  }
  const ended = await ask('POST', '/checkout/sessions', order)
  look('checkout.session', ended)
  look('checkout.session', await ask('POST', `/checkout/sessions/${ended.id}/expire`))
  state.completeCheckout(String((await ask('POST', '/checkout/sessions', order)).id))
  look('checkout.session', await first(`/checkout/sessions?customer=${id}`))
  look(
    'billing_portal.session',
    await ask('POST', '/billing_portal/sessions', { customer: id, return_url: 'https://example.com' }),
  )
  const subscription = await first(`/subscriptions?customer=${id}`)
  look('subscription', subscription)
  const [item] = (subscription.items as { data: { price: Json }[] }).data
  look('price', item?.price ?? {})
  const sold = String(subscription.id)
  state.renew(sold, 'bad')
  state.pay(sold)
  state.closeDispute(state.dispute(sold), 'won')
  state.cancelAtPeriodEnd(sold)
  look('dispute', await first('/disputes'))
  const dispute = await first('/disputes?expand[0]=data.charge')
  look('dispute', { ...dispute, charge: 'looked at below' })
  look('charge', dispute.charge as Json)
  state.become(sold, 'canceled')
  look('subscription', await first(`/subscriptions?customer=${id}&status=all`))
  state.deleteCustomer(id)
  look('deleted_customer', await ask('GET', `/customers/${id}`))
  for (const event of state.events) {
    look('event', { ...event })
    const about = event.data.object as Json
    look(about.object as Kind, about)
  }
  assert.deepEqual([...said].sort(), [])
  assert.deepEqual([...unused], [])
  assert.deepEqual([...seen.keys()].sort(), Object.keys(published.resources).sort(), 'each kind was seen')
  assert.match(published.source, /stripe\/openapi/)
})
