import assert from 'node:assert/strict'
import { test } from 'node:test'
import Stripe from 'stripe'
import { manualClock } from '../clock.ts'
import { secretKey, startStripe, webhookSecret } from './stand-in.ts'

function sdkOf(base: string, key = secretKey) {
  const { hostname, port } = new URL(base)
  return new Stripe(key, { protocol: 'http', host: hostname, port, maxNetworkRetries: 0 })
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => {
      assert.ok(error instanceof Stripe.errors.StripeError, String(error))
      return error
    },
  )

test('the SDK works against the stand-in, from customer to cancelled subscription', async t => {
  const standIn = await startStripe(t)
  const sdk = sdkOf(standIn.env.STRIPE_API_BASE ?? '')
  const customer = await sdk.customers.create({ email: 'ada@example.com', metadata: { a: '1' } })
  assert.equal((await sdk.customers.retrieve(customer.id)).id, customer.id)
  const session = await sdk.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{ price: 'price_basic', quantity: 1 }],
    success_url: 'https://example.com/done',
    cancel_url: 'https://example.com/given',
    subscription_data: { metadata: { b: '2' } },
  })
  assert.match(session.url ?? '', /\/pay\/cs_/)
  standIn.state.completeCheckout(session.id)
  const list = await sdk.subscriptions.list({ customer: customer.id, status: 'all', limit: 100 })
  assert.deepEqual(
    list.data.map(each => [each.status, each.metadata.b, each.items.data[0]?.price.id]),
    [['active', '2', 'price_basic']],
  )
  for (let more = 0; more < 5; more++) standIn.state.subscribe(customer.id)
  const ids: string[] = []
  for await (const each of sdk.subscriptions.list({ customer: customer.id, limit: 2 })) ids.push(each.id)
  assert.equal(new Set(ids).size, 6)
})

test('a dispute names the charge, and a list expands the customer on request; the subscription continues', async t => {
  const { env, state } = await startStripe(t)
  const sdk = sdkOf(env.STRIPE_API_BASE ?? '')
  const { id: customer } = state.createCustomer({ email: null, metadata: {} })
  const { id } = state.subscribe(customer)
  const before = state.now()
  const dispute = state.dispute(id)
  const told = state.events.filter(({ type }) => type.startsWith('charge.dispute.'))
  assert.deepEqual(
    told.map(({ type }) => type),
    ['charge.dispute.created', 'charge.dispute.funds_withdrawn'],
  )
  assert.doesNotMatch(JSON.stringify(told), /cus_/)
  const [short] = (await sdk.disputes.list()).data
  assert.deepEqual([short?.id, typeof short?.charge, short?.status], [dispute, 'string', 'needs_response'])
  const [full] = (await sdk.disputes.list({ expand: ['data.charge'], created: { gte: before } })).data
  assert.ok(typeof full?.charge === 'object')
  assert.equal(full.charge.customer, customer)
  assert.equal((await sdk.disputes.list({ created: { gte: state.now() + 1 } })).data.length, 0)
  assert.equal((await refusal(sdk.disputes.list({ expand: ['data.owner'] }))).statusCode, 400)
  state.closeDispute(dispute, 'lost')
  assert.equal(state.events.at(-1)?.type, 'charge.dispute.closed')
  assert.equal(state.subscription(id).status, 'active')
})

test('the stand-in refuses what Stripe refuses', async t => {
  const standIn = await startStripe(t)
  const base = standIn.env.STRIPE_API_BASE ?? ''
  const sdk = sdkOf(base)
  assert.equal((await refusal(sdkOf(base, 'sk_test_other').customers.create({}))).statusCode, 401)
  assert.equal((await fetch(`${base}/v1/customers`, { method: 'POST' })).status, 401)
  const unknown = await refusal(sdk.customers.create({ colour: 'red' } as Stripe.CustomerCreateParams))
  assert.deepEqual([unknown.statusCode, unknown.code, unknown.param], [400, 'parameter_unknown', 'colour'])
  assert.equal((await refusal(sdk.customers.retrieve('cus_nope'))).code, 'resource_missing')

  const idempotencyKey = 'the same key'
  const first = await sdk.customers.create({ email: 'ada@example.com' }, { idempotencyKey })
  const second = await sdk.customers.create({ email: 'ada@example.com' }, { idempotencyKey })
  assert.equal(first.id, second.id)
  const other = await refusal(sdk.customers.create({ email: 'eve@example.com' }, { idempotencyKey }))
  assert.equal(other.type, 'StripeIdempotencyError')
  assert.equal(standIn.state.customers.size, 1)

  // A failure of its own is kept under the key as well, and returned again after the failure.
  standIn.mood = 'failing'
  const failed = await refusal(sdk.customers.create({ email: 'bob@example.com' }, { idempotencyKey: 'bob' }))
  standIn.mood = 'well'
  const again = await refusal(sdk.customers.create({ email: 'bob@example.com' }, { idempotencyKey: 'bob' }))
  assert.deepEqual([failed.statusCode, again.statusCode], [500, 500])
  assert.equal(standIn.state.customers.size, 1)

  const session = { mode: 'subscription', customer: first.id, success_url: 'https://x.example' } as const
  const missing = await refusal(sdk.checkout.sessions.create({ ...session, cancel_url: 'https://x.example' }))
  assert.equal(missing.param, 'line_items')
  const line_items = [{ price: 'price_unknown', quantity: 1 }]
  const price = await refusal(
    sdk.checkout.sessions.create({ ...session, cancel_url: 'https://x.example', line_items }),
  )
  assert.equal(price.code, 'resource_missing')
})

test('checkout sessions are listed by status, can be expired while open, and expire after a day', async t => {
  const clock = manualClock(Date.parse('2026-11-22T12:00:00Z'))
  const { env, state } = await startStripe(t, { clock })
  const sdk = sdkOf(env.STRIPE_API_BASE ?? '')
  const { id: customer } = await sdk.customers.create({ email: 'ada@example.com' })
  const order = () =>
    sdk.checkout.sessions.create({
      mode: 'subscription',
      customer,
      line_items: [{ price: 'price_basic', quantity: 1 }],
      success_url: 'https://example.com/done',
      cancel_url: 'https://example.com/given',
    })
  const ids = async (status: 'open' | 'complete' | 'expired') =>
    (await sdk.checkout.sessions.list({ customer, status })).data.map(({ id }) => id)
  const [paid, ended, open] = [await order(), await order(), await order()]
  state.completeCheckout(paid.id)
  const idempotencyKey = 'end it'
  const { status, url } = await sdk.checkout.sessions.expire(ended.id, {}, { idempotencyKey })
  assert.deepEqual([status, url], ['expired', null])
  assert.deepEqual(
    [await ids('open'), await ids('complete'), await ids('expired')],
    [[open.id], [paid.id], [ended.id]],
  )
  const everyId = (await sdk.checkout.sessions.list({ customer })).data.map(({ id }) => id)
  assert.deepEqual(everyId, [open.id, ended.id, paid.id], 'newest first')

  // The same key is answered the same, and is no key for anything else.
  assert.equal((await sdk.checkout.sessions.expire(ended.id, {}, { idempotencyKey })).status, 'expired')
  const other = await refusal(sdk.checkout.sessions.expire(open.id, {}, { idempotencyKey }))
  assert.equal(other.type, 'StripeIdempotencyError')
  for (const [id, word] of [
    [paid.id, 'complete'],
    [ended.id, 'expired'],
  ]) {
    const refused = await refusal(sdk.checkout.sessions.expire(id ?? ''))
    assert.equal(refused.statusCode, 400)
    assert.match(refused.message, new RegExp(`status in \\["open"\\] can be expired.*status of \`${word}\``))
  }
  const nobody = await refusal(sdk.checkout.sessions.expire('cs_nope'))
  assert.deepEqual([nobody.statusCode, nobody.code], [404, 'resource_missing'])
  const colour = { colour: 'red' }
  const unknown = await Promise.all([
    refusal(sdk.checkout.sessions.expire(open.id, colour as Stripe.Checkout.SessionExpireParams)),
    refusal(sdk.checkout.sessions.list(colour as Stripe.Checkout.SessionListParams)),
    refusal(sdk.disputes.list(colour as Stripe.DisputeListParams)),
    refusal(sdk.customers.update(customer, colour as Stripe.CustomerUpdateParams)),
  ])
  for (const { code, param } of unknown) assert.deepEqual([code, param], ['parameter_unknown', 'colour'])
  assert.deepEqual(await ids('open'), [open.id], 'what was refused changed nothing')

  clock.advance(86_400_000)
  assert.equal((await sdk.checkout.sessions.retrieve(open.id)).status, 'expired')
  assert.equal(state.events.at(-1)?.type, 'checkout.session.expired')
})

test('a deleted customer is shown as deleted, and refuses everything else', async t => {
  const { env, state } = await startStripe(t)
  const sdk = sdkOf(env.STRIPE_API_BASE ?? '')
  const { id: customer } = await sdk.customers.create({ email: 'ada@example.com' })
  assert.equal((await sdk.customers.update(customer, { email: 'b@example.com' })).email, 'b@example.com')
  const { id } = state.subscribe(customer)
  state.deleteCustomer(customer)
  assert.equal((await sdk.customers.retrieve(customer)).deleted, true)
  assert.equal(state.subscription(id).status, 'canceled')
  const refused = await Promise.all([
    refusal(sdk.customers.update(customer, { email: 'c@example.com' })),
    refusal(sdk.subscriptions.list({ customer })),
    refusal(sdk.checkout.sessions.list({ customer })),
    refusal(sdk.billingPortal.sessions.create({ customer, return_url: 'https://example.com' })),
  ])
  for (const { code } of refused) assert.equal(code, 'resource_missing')
})

test('events are signed with Stripe’s scheme', async t => {
  const standIn = await startStripe(t)
  const sdk = sdkOf(standIn.env.STRIPE_API_BASE ?? '')
  standIn.state.createCustomer({ email: null, metadata: {} })
  const [event] = standIn.state.events
  assert.ok(event)
  const read = (options: { secret?: string; age?: number } = {}) => {
    const { body, headers } = standIn.signed(event, options)
    return sdk.webhooks.constructEvent(body, headers['Stripe-Signature'] ?? '', webhookSecret)
  }
  assert.equal(read().type, 'customer.created')
  assert.throws(() => read({ age: 301 }), /tolerance/)
  assert.throws(() => read({ secret: 'whsec_other' }), /signature/i)
})
