import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { startStripe } from '../../../src/testing/stripe/stand-in.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { settingsFor } from '../settings.fixture.ts'
import { openShop, type Shop } from '../shop.fixture.ts'
import { openStripe } from '../stripe/stripe.ts'

const minute = 60_000

const order = async (owner: OwnerBrowser, plan: string) => {
  const reply = await owner.call('POST', '/checkout', { plan })
  assert.equal(reply.status, 200, reply.text)
  return pageId(reply.json<{ url: string }>().url)
}
const pageId = (url: string) => url.split('/').at(-1) ?? ''
const openPages = (shop: Shop) =>
  [...shop.stripe.state.sessions.values()].filter(({ status }) => status === 'open').map(({ id }) => id)

async function opened(t: TestContext) {
  const shop = await openShop(t, { root: memoryFolder(t) })
  return { shop, ada: await shop.owner('ada'), state: shop.stripe.state }
}

test('one checkout page at a time: the same order reuses it, another order closes it', async t => {
  const { shop, ada, state } = await opened(t)
  const [first, second] = await Promise.all([order(ada, 'basic'), order(ada, 'basic')])
  assert.equal(first, second)
  assert.equal(state.customers.size, 1)
  const team = await order(ada, 'team')
  assert.deepEqual(openPages(shop), [team])
  assert.throws(() => state.completeCheckout(first))
  // To and fro within minutes: what was ended before is never given out again.
  const again = await order(ada, 'basic')
  assert.notEqual(again, first)
  assert.deepEqual(openPages(shop), [again])
  assert.equal(await order(ada, 'basic'), again)
  // Two tabs that want different things, in the same moment.
  await Promise.all([order(ada, 'basic'), order(ada, 'team'), order(ada, 'basic'), order(ada, 'team')])
  const [last = '', ...more] = openPages(shop)
  assert.deepEqual(more, [])
  // One that is about to end leaves no time to pay.
  shop.clock.advance(23 * 60 * minute + minute)
  const sells = await order(ada, 'team')
  assert.notEqual(sells, last)
  assert.deepEqual(openPages(shop), [sells])
  // And one that ended by itself is no hindrance.
  shop.clock.advance(25 * 60 * minute)
  state.completeCheckout(await order(ada, 'team'))
  assert.equal(state.subscriptions.size, 1)
})

test('an order names its account and instance at Stripe, also with automatic tax', async t => {
  const shop = await openShop(t, { root: memoryFolder(t), env: { STRIPE_TAX: 'true' } })
  const ada = await shop.owner('ada')
  const { id } = (await ada.call('GET', '/account')).json<{ id: string }>()
  const reply = await ada.call('POST', '/checkout', { plan: 'basic', subdomain: 'acme' })
  assert.equal(reply.status, 200, reply.text)
  const { state } = shop.stripe
  const session = state.completeCheckout(pageId(reply.json<{ url: string }>().url))
  const [subscription] = state.subscriptions.values()
  const [page] = state.sessions.values()
  for (const metadata of [page?.metadata, subscription?.metadata]) {
    assert.equal(metadata?.longhouse_account, id, session.id)
    assert.equal(metadata?.subdomain, 'acme')
  }
  assert.equal(page?.client_reference_id, id)
  assert.deepEqual([page?.automatic_tax.enabled, page?.allow_promotion_codes], [true, true])
})

test('an owner who already pays can order nothing more, and no checkout page stays open', async t => {
  const { shop, ada, state } = await opened(t)
  const page = await order(ada, 'basic')
  const [customer = ''] = state.customers.keys()
  // Made by hand at Stripe; no event of it has come.
  state.subscribe(customer)
  const refused = await ada.call('POST', '/checkout', { plan: 'basic' })
  assert.equal(refused.status, 409)
  assert.match(refused.text, /billing portal/)
  assert.deepEqual(openPages(shop), [])
  assert.throws(() => state.completeCheckout(page))
  const words = await ada.visit('/checkout', { plan: 'team' })
  assert.equal(words.status, 409)
  assert.match(words.text, /You already have a subscription/)

  // Paid in the other tab: finished there, and the money is on its way.
  const grace = await shop.owner('grace')
  const hers = state.completeCheckout(await order(grace, 'basic'))
  hers.status = 'incomplete'
  const waits = await grace.call('POST', '/checkout', { plan: 'team' })
  assert.deepEqual([waits.status, /payment is in progress/.test(waits.text)], [409, true])
  assert.deepEqual(openPages(shop), [])
  // It never came, and she may order again.
  state.become(hers.id, 'incomplete_expired')
  assert.ok(await order(grace, 'team'))
})

test('a page that was paid a moment ago cannot be closed, and is recognized as paid', async t => {
  const stripe = await startStripe(t)
  const access = await openStripe(settingsFor(stripe))
  const customerId = await access.createCustomer({ id: 'acct_1', email: 'ada@example.com' })
  const backTo = { done: 'https://example.com/done', given: 'https://example.com/given' }
  const wanted = { customerId, accountId: 'acct_1', subdomain: null, price: 'price_basic', backTo }
  const first = pageId(await access.startCheckout(wanted))
  const [listed] = await access.checkoutPages(customerId)
  assert.deepEqual([listed?.id, listed?.status, listed?.order], [first, 'open', access.digest(wanted)])
  stripe.state.completeCheckout(first)
  assert.equal(await access.endCheckout(first), false)
  const second = pageId(await access.startCheckout(wanted))
  assert.notEqual(second, first)
  assert.equal(await access.endCheckout(second), true)
  assert.equal(await access.endCheckout(second), true, 'ended before is as good')
  await assert.rejects(access.endCheckout('cs_none'), /No such checkout.session/)
})

test('Stripe replays its failure only to retries of the same request: the next click works', async t => {
  const { shop, ada, state } = await opened(t)
  const press = () => ada.call('POST', '/checkout', { plan: 'basic' })
  shop.stripe.mood = 'failing'
  assert.equal((await press()).status, 503)
  shop.stripe.mood = 'well'
  const [page] = [await order(ada, 'basic')]
  assert.deepEqual(openPages(shop), [page])

  // The same between the customer and the page.
  const bob = await shop.owner('bob')
  shop.stripe.mood = 'mute'
  assert.equal((await bob.call('POST', '/checkout', { plan: 'basic' })).status, 503)
  shop.stripe.mood = 'well'
  state.completeCheckout(await order(bob, 'basic'))
  assert.equal(state.customers.size, 2, 'what was made without an answer is found again')
})

test('whichever answer is lost, there is one customer and one checkout page', async t => {
  const stripe = await startStripe(t)
  const access = await openStripe(settingsFor(stripe))
  const account = { id: 'acct_1', email: 'ada@example.com' }
  const lost = async (work: () => Promise<unknown>) => {
    stripe.mood = 'mute'
    await assert.rejects(work)
    stripe.mood = 'well'
  }
  stripe.state.createCustomer({ email: account.email, metadata: {} })
  await access.createCustomer({ id: 'acct_2', email: account.email })
  await lost(() => access.createCustomer(account))
  const customerId = await access.createCustomer(account)
  assert.equal(await access.createCustomer(account), customerId)
  assert.equal(
    stripe.state.customers.size,
    3,
    'neither a stranger’s nor another account’s with the same address',
  )
  const backTo = { done: 'https://example.com/done', given: 'https://example.com/given' }
  const wanted = { customerId, accountId: 'acct_1', subdomain: null, price: 'price_basic', backTo }
  await lost(() => access.startCheckout(wanted))
  const pages = await access.checkoutPages(customerId)
  assert.deepEqual(
    pages.map(page => [page.status, page.order]),
    [['open', access.digest(wanted)]],
    'the retry of the library made no second page, and the first is found',
  )
})

test('of two subscriptions, the one that counts is well defined, and the operator sees both', async t => {
  const { shop, ada, state } = await opened(t)
  const [basic, team] = [
    await shop.buy(ada, 'basic'),
    state.subscribe(customerOf(shop), { price: 'price_team' }).id,
  ]
  await shop.deliverEvents()
  const bill = async () =>
    (await ada.call('GET', '/billing')).json<{ subscription: { plan: string; status: string } }>()
  const limit = async () => (await ada.call('GET', '/instances')).json<{ limit: number }>().limit
  assert.deepEqual([(await bill()).subscription.plan, await limit()], ['team', 5], 'the larger one')
  const overview = async () => (await shop.admin<Overview>('GET', '/admin/billing')).body.attention
  const [matter] = await overview()
  assert.equal(matter?.kind, 'two-subscriptions')
  assert.equal(matter.email, 'ada@example.com')
  assert.match(matter.what, new RegExp(`2 subscriptions.*${team} counts`))
  assert.match(matter.todo, new RegExp(`Cancel ${basic}`))
  assert.match(matter.url, /^https:\/\/dashboard\.stripe\.com\/test\/customers\/cus_/)
  const page = await shop.admin('GET', '/admin/billing', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /Needs you.*Pays twice/s)

  // What is paid counts before what is not, however large.
  state.become(team, 'unpaid')
  await shop.deliverEvents()
  assert.deepEqual([(await bill()).subscription.plan, await limit()], ['basic', 1])
  state.become(team, 'canceled')
  await shop.deliverEvents()
  assert.deepEqual(await overview(), [])
})

interface Overview {
  attention: { kind: string; email: string; what: string; todo: string; url: string; until: string | null }[]
}
const customerOf = (shop: Shop) => [...shop.stripe.state.customers.keys()][0] ?? ''

test('a deleted account is never charged: its checkout page is closed, and a late payment is cancelled', async t => {
  const { shop, ada, state } = await opened(t)
  const page = await order(ada, 'basic')
  const accounts = shop.program.services.auth?.accounts
  const [{ id = '' } = {}] = accounts?.list() ?? []
  accounts?.close(id)
  // Paid between the click and our next word to Stripe.
  state.completeCheckout(page)
  await shop.deliverEvents()
  assert.deepEqual(
    [...state.subscriptions.values()].map(({ status }) => status),
    ['canceled'],
  )
  const { attention } = (await shop.admin<Overview>('GET', '/admin/billing')).body
  assert.deepEqual(
    attention.map(({ kind, todo }) => [kind, /Refund the payment .* at Stripe/.test(todo)]),
    [['paid-when-closed', true]],
  )

  const grace = await shop.owner('grace')
  await order(grace, 'team')
  const hers = accounts?.byEmail('grace@example.com')[0]
  accounts?.close(hers?.id ?? '')
  await shop.run('reconcile')
  assert.deepEqual(openPages(shop), [])
})

test('the redirect before the event, the event before the redirect, and Stripe away in between', async t => {
  const { shop, ada, state } = await opened(t)
  const told = async (path: string) => (await ada.call('GET', path)).json<{ state: string }>().state
  state.completeCheckout(await order(ada, 'basic'))
  shop.stripe.mood = 'away'
  assert.equal(await told('/billing?paid=1'), 'free')
  const page = await ada.visit('/billing?paid=1')
  assert.match(page.text, /Your payment is not confirmed yet/)
  assert.doesNotMatch(page.text, /Choose a plan/)
  // A second order is refused meanwhile.
  assert.equal((await ada.call('POST', '/checkout', { plan: 'basic' })).status, 503)
  shop.stripe.mood = 'well'
  assert.equal((await ada.call('POST', '/checkout', { plan: 'basic' })).status, 409)
  assert.equal(await told('/billing?paid=1'), 'paid')
  assert.doesNotMatch((await ada.visit('/billing?paid=1')).text, /Your payment is not confirmed yet/)
  await shop.deliverEvents()
  assert.equal(await told('/billing'), 'paid')

  const grace = await shop.owner('grace')
  const hers = await order(grace, 'basic')
  assert.match(
    (await grace.visit('/billing?paid=1')).text,
    /Choose a plan/,
    'an address that was kept says nothing',
  )
  state.completeCheckout(hers)
  await shop.deliverEvents()
  assert.equal((await grace.call('GET', '/billing')).json<{ state: string }>().state, 'paid')
})
