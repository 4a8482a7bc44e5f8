import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { day, openShop, retain, type Shop, stateOf } from '../shop.fixture.ts'

/** A shop with an instance whose trial has begun, and that has something to lose. */
async function trying(t: TestContext) {
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { BILLING_TRIAL_DAYS: '1', BILLING_REMOVAL_DAYS: '1' },
  })
  const ada = await shop.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.reaches(ada, 'acme', 'running')
  writeFileSync(join(shop.root, 'acme', 'precious'), 'data')
  return { shop, ada }
}

const removed = ['deleted', true, 'billing']
const daysLeft = async (shop: Shop) =>
  (Date.parse((await shop.whenIdle('acme')).purge_at ?? '') - shop.clock.now()) / day

test('undoing the removal again and again does not extend how long an unpaid volume is kept', async t => {
  const { shop, ada } = await trying(t)
  await shop.live(3)
  assert.deepEqual(await stateOf(shop), removed)
  await retain(shop, 4)

  const refused = await ada.call('POST', '/instances/acme/restore', {})
  assert.deepEqual([refused.status, /The free trial has ended/.test(refused.text)], [409, true])
  const page = await ada.visit('/instances/acme')
  assert.doesNotMatch(page.text, /Restore instance</)
  assert.match(page.text, /href="\/billing"[^>]*>\s*See your plan/)
  assert.deepEqual(await stateOf(shop), removed)

  // The operator may. It comes back stopped, is removed again, and what it was kept before counts.
  const left = await daysLeft(shop)
  assert.ok(left > 25 && left < 27, `${left} days are left`)
  const undo = () => shop.admin('POST', '/admin/instances/acme/restore', { wait: 10 })
  assert.deepEqual([(await undo()).status, ...(await stateOf(shop))], [200, 'stopped', true, null])
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop), removed)
  assert.ok(Math.abs((await daysLeft(shop)) - left) < 0.1)

  // There is always time to tell the owner that it goes.
  await retain(shop, 24)
  await undo()
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop), removed)
  assert.equal(Math.round(await daysLeft(shop)), 7)
  await retain(shop, 6)
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
  await retain(shop, 2)
  await eventually('the data is gone', () => !existsSync(join(shop.root, 'acme')))
})

test('a payment restores the whole retention period', async t => {
  const { shop, ada } = await trying(t)
  await shop.live(3)
  await retain(shop, 4)
  await shop.admin('POST', '/admin/instances/acme/restore', { wait: 10 })
  await shop.whenIdle('acme')
  const id = await shop.buy(ada)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  shop.stripe.state.become(id, 'canceled')
  await shop.deliverEvents()
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), removed)
  assert.equal(Math.round(await daysLeft(shop)), 30)
})

test('an instance that its owner had stopped comes back stopped after a payment, also from a removal', async t => {
  const { shop, ada } = await trying(t)
  await ada.call('POST', '/instances/acme/stop', {})
  await shop.reaches(ada, 'acme', 'stopped')
  await shop.live(3)
  assert.deepEqual(await stateOf(shop), removed)
  await shop.buy(ada)
  assert.deepEqual(await stateOf(shop), ['stopped', false, null])
  for (let round = 0; round < 3; round++) await shop.program.runOnce('provisioner:reconcile')
  assert.equal((await shop.whenIdle('acme')).desired, 'stopped')
  assert.equal((await ada.call('POST', '/instances/acme/start', {})).status, 202)
  await shop.reaches(ada, 'acme', 'running')
})

test('an owner can restore an instance they removed while they pay, and not afterwards', async t => {
  const { shop, ada } = await trying(t)
  const restore = () => ada.call('POST', '/instances/acme/restore', {})
  await ada.call('POST', '/instances/acme/remove', {})
  await shop.reaches(ada, 'acme', 'deleted')
  assert.equal((await restore()).status, 202)
  await shop.reaches(ada, 'acme', 'running')
  await ada.call('POST', '/instances/acme/remove', {})
  await shop.reaches(ada, 'acme', 'deleted')
  // The trial has ended, and no round has run yet.
  shop.clock.advance(2 * day)
  assert.equal((await restore()).status, 402)
  await shop.run('enforce')
  assert.equal((await restore()).status, 409)
  await shop.buy(ada)
  assert.deepEqual(await stateOf(shop), ['deleted', false, 'owner'])
  assert.equal((await restore()).status, 202)
  await shop.reaches(ada, 'acme', 'running')
})
