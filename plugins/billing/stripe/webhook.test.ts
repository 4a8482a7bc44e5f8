import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mail } from '../../mail/index.ts'
import { openTown } from '../../owners/owners.fixture.ts'
import { billing } from '../index.ts'
import { madeUpEvent, openShop, type Shop } from '../shop.fixture.ts'

interface Overview {
  on: boolean
  accounts: { email: string; state: string; error: string | null }[]
}
const overview = async (shop: Pick<Shop, 'admin'>) =>
  (await shop.admin<Overview>('GET', '/admin/billing')).body
interface Told {
  total: number
  events: { id: string; type: string; status: string; attempts: number; error: string | null }[]
}
const eventLog = async (shop: Pick<Shop, 'admin'>) =>
  (await shop.admin<Told>('GET', '/admin/billing/events')).body

test('an event is stored once, however often it is sent, and the state is read from Stripe', async t => {
  const shop = await openShop(t)
  const ada = await shop.owner('ada')
  const subscription = await shop.buy(ada)
  const before = (await eventLog(shop)).total
  const [first] = shop.stripe.state.events.filter(event => event.type === 'customer.subscription.created')
  assert.ok(first)
  for (let time = 0; time < 3; time++) {
    const { body, headers } = shop.stripe.signed(first)
    const reply = await shop.post(body, headers)
    assert.deepEqual([reply.status, reply.json()], [200, { received: true, known: true }])
  }
  assert.equal((await eventLog(shop)).total, before)

  // What an event says is not believed, only that there is something to ask: here it lies.
  shop.stripe.state.subscription(subscription).status = 'canceled'
  const lie = madeUpEvent('customer.subscription.updated', {
    ...shop.stripe.state.subscription(subscription),
    object: 'subscription',
    status: 'active',
  })
  const { body, headers } = shop.stripe.signed(lie)
  assert.equal((await shop.post(body, headers)).status, 200)
  await shop.run('work-events')
  const bill = (await ada.call('GET', '/billing')).json<{ state: string; subscription: unknown }>()
  assert.deepEqual([bill.state, bill.subscription], ['over', null])
})

test('forged, stale, oversized, truncated and non-JSON events are refused and not stored', async t => {
  const shop = await openShop(t, { env: { STRIPE_WEBHOOK_SECRET: 'whsec_new, whsec_standin' } })
  const event = madeUpEvent('customer.subscription.updated', { customer: 'cus_1' })
  const good = shop.stripe.signed(event)
  const signature = good.headers['Stripe-Signature'] ?? ''
  // A minute beyond the limit, as requests take their time on a loaded machine.
  const future = shop.stripe.signed(event, { age: -360 }).headers['Stripe-Signature'] ?? ''
  const disguised = { 'Stripe-Signature': future.replace(/t=(\d+)/, 't=$1x') }
  const refused: [string, string, Record<string, string>, number][] = [
    ['no signature', good.body, {}, 400],
    ['a made-up one', good.body, { 'Stripe-Signature': 't=1,v1=00' }, 400],
    ['none of that form', good.body, { 'Stripe-Signature': '💰' }, 400],
    ['another secret', good.body, shop.stripe.signed(event, { secret: 'whsec_other' }).headers, 400],
    ['another body', good.body.replace('cus_1', 'cus_2'), good.headers, 400],
    ['another scheme', good.body, { 'Stripe-Signature': signature.replace('v1=', 'v0=') }, 400],
    ['too old', good.body, shop.stripe.signed(event, { age: 301 }).headers, 400],
    ['dated in the future', good.body, shop.stripe.signed(event, { age: -360 }).headers, 400],
    ['dated in the future, in disguise', good.body, disguised, 400],
    ['cut off', good.body.slice(0, 40), good.headers, 400],
    ['too large', 'x'.repeat(600_000), good.headers, 413],
    ['nothing', '', good.headers, 400],
  ]
  for (const [what, body, headers, status] of refused) {
    const ascii = Object.entries(headers).map(([name, value]) => [
      name,
      Buffer.from(value).toString('latin1'),
    ])
    const reply = await shop.post(body, Object.fromEntries(ascii))
    assert.equal(reply.status, status, what)
    assert.match(String(reply.headers['content-type']), /application\/problem\+json/, what)
  }
  // Signed well, and no event all the same.
  for (const body of ['[]', 'null', '"evt"', '{}', '{"id":7}', 'no json']) {
    const { createHmac } = await import('node:crypto')
    const at = shop.stripe.state.now()
    const v1 = createHmac('sha256', 'whsec_new').update(`${at}.${body}`).digest('hex')
    assert.equal((await shop.post(body, { 'Stripe-Signature': `t=${at},v1=${v1}` })).status, 400, body)
  }
  assert.equal((await eventLog(shop)).total, 0)
  // Each of the secrets opens the door, the old and the new.
  assert.equal((await shop.post(good.body, good.headers)).status, 200)
  const other = madeUpEvent('invoice.paid', { customer: 'cus_1' })
  const rotated = shop.stripe.signed(other, { secret: 'whsec_new' })
  assert.equal((await shop.post(rotated.body, rotated.headers)).status, 200)
  assert.equal((await eventLog(shop)).total, 2)
})

test('events of unknown types, the other mode and unknown customers are stored and ignored', async t => {
  const shop = await openShop(t)
  const stranger = shop.stripe.state.createCustomer({
    email: null,
    metadata: { longhouse_account: 'acct_nobody' },
  })
  shop.stripe.state.subscribe(stranger.id)
  const about = { object: 'subscription', customer: stranger.id }
  for (const event of [
    madeUpEvent('tea.brewed', { object: 'tea' }),
    madeUpEvent('customer.subscription.updated', about),
    { ...madeUpEvent('customer.subscription.updated', about), livemode: true },
    madeUpEvent('customer.subscription.updated', { object: 'subscription' }),
  ]) {
    const { body, headers } = shop.stripe.signed(event)
    assert.equal((await shop.post(body, headers)).status, 200)
  }
  await shop.run('work-events')
  const { accounts } = await overview(shop)
  assert.deepEqual(new Set((await eventLog(shop)).events.map(event => event.status)), new Set(['ignored']))
  assert.deepEqual(accounts, [])
})

test('while Stripe is away, events are queued and retried, also by hand', async t => {
  const shop = await openShop(t)
  const ada = await shop.owner('ada')
  const subscription = await shop.buy(ada)
  shop.stripe.mood = 'failing'
  shop.stripe.state.renew(subscription, 'bad')
  await shop.deliverEvents()
  const waiting = (await eventLog(shop)).events.filter(event => event.status === 'queued')
  assert.equal(waiting.length, 3)
  assert.match(waiting[0]?.error ?? '', /Stripe: Sorry/)
  assert.equal((await overview(shop)).accounts[0]?.state, 'paid')
  const html = await shop.admin('GET', '/admin/billing/events', { headers: { Accept: 'text/html' } })
  assert.match(String(html.body), /Stripe: Sorry/)

  shop.stripe.mood = 'well'
  await shop.run('work-events')
  assert.equal((await overview(shop)).accounts[0]?.state, 'paid', 'its time has not come')
  const retry = (id: string | undefined) => shop.admin('POST', `/admin/billing/events/${id}/retry`)
  assert.equal((await retry(waiting[0]?.id)).status, 204)
  await shop.run('work-events')
  assert.equal((await overview(shop)).accounts[0]?.state, 'grace')
  assert.equal((await retry(waiting[0]?.id)).status, 404)
  shop.clock.advance(60_000)
  await shop.run('work-events')
  assert.deepEqual(new Set((await eventLog(shop)).events.map(event => event.status)), new Set(['done']))
})

test('only the operator sees billing and retries events', async t => {
  const shop = await openShop(t)
  const ada = await shop.owner('ada')
  for (const [method, path] of [
    ['GET', '/admin/billing'],
    ['GET', '/admin/billing/events'],
    ['POST', '/admin/billing/events/evt_1/retry'],
    ['POST', '/admin/billing/reconcile'],
  ] as const) {
    assert.equal((await ada.call(method, path)).status, 401, path)
    assert.equal((await shop.browser().call(method, path)).status, 401, path)
  }
  assert.equal((await shop.admin('POST', '/admin/billing/reconcile')).status, 204)
  for (const [method, path] of [
    ['GET', '/billing'],
    ['POST', '/checkout'],
    ['POST', '/portal'],
  ] as const) {
    assert.equal((await shop.browser().call(method, path)).status, 401, path)
    assert.equal((await shop.admin(method, path)).status, 401, `${path}: the operator is no owner`)
  }
})

test('without Stripe, routes and pages say so, and nothing is limited in time', async t => {
  const town = await openTown(t, { plugins: [mail, billing] })
  const ada = await town.owner('ada')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status < 300, true)
  await town.reaches(ada, 'acme', 'running')
  for (const [path, body] of [
    ['/checkout', { plan: 'basic' }],
    ['/portal', {}],
  ] as const) {
    const reply = await ada.call('POST', path, body)
    assert.deepEqual([reply.status, reply.headers['content-type']], [503, 'application/problem+json'], path)
    // Who has not signed in is not sent to do so for nothing.
    assert.equal((await town.browser().call('POST', path, body)).status, 503, path)
  }
  assert.equal((await town.browser().call('POST', '/webhooks/stripe', {})).status, 503)
  assert.match((await ada.visit('/billing')).text, /Payments are not set up on this site/)
  const page = await town.admin('GET', '/admin/billing', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /Billing is off/)
  assert.equal((await overview(town)).on, false)
})
