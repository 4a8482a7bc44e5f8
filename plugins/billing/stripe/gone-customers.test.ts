import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite } from '../../../src/storage/database.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { day, openShop, type Shop } from '../shop.fixture.ts'

interface Overview {
  accounts: { email: string; state: string; error: string | null }[]
}
const account = async (shop: Shop) => (await shop.admin<Overview>('GET', '/admin/billing')).body.accounts[0]
const stateOf = async (owner: OwnerBrowser) =>
  (await owner.call('GET', '/billing')).json<{ state: string; subscription: unknown }>()

test('after a customer is deleted at Stripe, its subscription ends, the portal says so, and ordering starts over', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const { state } = shop.stripe
  const ada = await shop.owner('ada')
  await shop.buy(ada)
  const [customer = ''] = state.customers.keys()
  state.deleteCustomer(customer)
  // No event arrived: the portal finds out by itself.
  const portal = await ada.call('POST', '/portal', {})
  assert.equal(portal.status, 409)
  assert.match(portal.text, /no longer has a record of you.*Choose a plan to start over/s)
  assert.deepEqual(await stateOf(ada), { ...(await stateOf(ada)), state: 'over', subscription: null })
  await shop.deliverEvents()
  await shop.run('reconcile')
  assert.deepEqual([(await account(shop))?.state, (await account(shop))?.error], ['over', null])

  await shop.buy(ada, 'team')
  assert.equal(state.customers.size, 2)
  assert.equal((await stateOf(ada)).state, 'paid')
  // The old one's last events may come late, and say nothing of the new one.
  for (const event of state.events.filter(({ data }) => JSON.stringify(data).includes(customer))) {
    const { body, headers } = shop.stripe.signed({ ...event, id: `${event.id}_late` })
    await shop.post(body, headers)
  }
  await shop.run('work-events')
  assert.equal((await stateOf(ada)).state, 'paid')
  assert.equal((await ada.call('POST', '/portal', {})).status, 200)
})

test('a key of another Stripe account stops no one: known subscriptions stay valid, and the operator sees why', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const { state } = shop.stripe
  const ada = await shop.owner('ada')
  await shop.buy(ada)
  const [customer = ''] = state.customers.keys()
  const record = state.customers.get(customer)
  state.customers.delete(customer)
  await assert.rejects(shop.run('reconcile'), /1 customers could not be read/)
  assert.equal((await stateOf(ada)).state, 'paid')
  assert.match((await account(shop))?.error ?? '', /Does STRIPE_SECRET_KEY belong to another Stripe account/)
  const portal = await ada.call('POST', '/portal', {})
  assert.deepEqual([portal.status, /Tell the operator/.test(portal.text)], [409, true])
  const again = await ada.call('POST', '/checkout', { plan: 'basic' })
  assert.deepEqual([again.status, /Tell the operator/.test(again.text)], [409, true])
  assert.equal(state.customers.size, 0, 'what is paid with the other key is not lost from sight')
  // The right key is back, and everything is as it was.
  assert.ok(record)
  state.customers.set(customer, record)
  await shop.run('reconcile')
  assert.equal((await account(shop))?.error, null)
  assert.equal((await stateOf(ada)).state, 'paid')

  // An account that has nothing there can order with the new key.
  const grace = await shop.owner('grace')
  await grace.call('POST', '/checkout', { plan: 'basic' })
  const hers = [...state.customers.keys()].at(-1) ?? ''
  state.customers.delete(hers)
  const ordered = await grace.call('POST', '/checkout', { plan: 'basic' })
  assert.equal(ordered.status, 200, ordered.text)
  assert.ok(!state.customers.has(hers))
  assert.equal(state.customers.size, 2)
})

test('a changed email address is sent to Stripe, also when changed back, and never blocks a sign-in', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const { state } = shop.stripe
  const ada = await shop.owner('ada')
  await shop.buy(ada)
  const [customer] = state.customers.values()
  const syncEmails = () => shop.program.runOnce('billing:sync-emails')
  const asked = () => shop.stripe.asked.filter(each => each === `POST /v1/customers/${customer?.id}`).length
  await syncEmails()
  assert.equal(asked(), 0, 'what Stripe knows is not told again')

  shop.stripe.mood = 'away'
  await shop.owner('ada', 'ada@lovelace.example')
  await syncEmails()
  assert.equal(customer?.email, 'ada@example.com')
  shop.stripe.mood = 'well'
  await syncEmails()
  assert.equal(customer?.email, 'ada@lovelace.example')
  for (const email of ['ada@example.com', 'ada@lovelace.example', 'ada@example.com']) {
    await shop.owner('ada', email)
    await syncEmails()
    assert.equal(customer?.email, email)
  }
  // One that is no more is let be, and not asked about for ever.
  state.deleteCustomer(customer?.id ?? '')
  await shop.owner('ada', 'late@example.com')
  await syncEmails()
  const tries = asked()
  await syncEmails()
  assert.equal(asked(), tries)
})

test('the synced email address is erased together with a deleted account’s owner', async t => {
  const root = memoryFolder(t)
  const shop = await openShop(t, { root })
  const ada = await shop.owner('ada')
  await shop.buy(ada)
  assert.equal((await ada.call('DELETE', '/account', { confirm: 'ada@example.com' })).status, 204)
  const sqlite = openSqlite(join(root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  const told = () => sqlite.prepare('select told_email from billing_customers').all()
  await shop.program.runOnce('billing:sync-emails')
  assert.deepEqual(told(), [{ told_email: 'ada@example.com' }])
  shop.clock.advance(91 * day)
  await shop.program.runOnce('auth:prune-sessions')
  await shop.program.runOnce('billing:sync-emails')
  assert.deepEqual(told(), [{ told_email: null }])
})
