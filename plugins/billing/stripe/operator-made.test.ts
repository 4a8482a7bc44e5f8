import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { openShop, type Shop, stateOf } from '../shop.fixture.ts'

/** A shop whose operator made `legacy` for Ada, who has taken it into her account. */
async function claimed(t: TestContext, env: Record<string, string> = {}) {
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { BILLING_TRIAL_DAYS: '2', BILLING_REMOVAL_DAYS: '2', ...env },
  })
  await shop.provision('legacy', 'ada@example.com')
  const ada = await shop.owner('ada')
  assert.equal((await ada.call('POST', '/instances/legacy/claim', {})).status, 200)
  return { shop, ada }
}

const standing = async (owner: OwnerBrowser) =>
  (await owner.call('GET', '/billing')).json<{ state: string }>().state
const say = (shop: Shop, verb: 'bill' | 'exempt', subdomain = 'legacy') =>
  shop.admin('POST', `/admin/instances/${subdomain}/${verb}`, { body: {} })

const running = ['running', false, null]

test('an instance that the operator created uses neither the trial nor the plan’s room, and runs without payment', async t => {
  const { shop, ada } = await claimed(t)
  assert.equal(await standing(ada), 'free')
  assert.match((await ada.visit('/instances/legacy')).text, /counts against no plan/)
  assert.match((await ada.visit('/instances')).text, /href="\/new"/)
  assert.match((await ada.visit('/new')).text, /Create my instance/)
  const made = await ada.call('POST', '/instances', { subdomain: 'acme' })
  assert.equal(made.status, 202, made.text)
  await shop.reaches(ada, 'acme', 'running')
  assert.equal(await standing(ada), 'trial')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme-two' })).status, 409)
  await shop.live(6)
  assert.deepEqual(await stateOf(shop, 'acme'), ['deleted', true, 'billing'])
  assert.deepEqual(await stateOf(shop, 'legacy'), running)
  // An owner who owes money can still undo it.
  await ada.call('POST', '/instances/legacy/remove', {})
  await shop.reaches(ada, 'legacy', 'deleted')
  assert.equal((await ada.call('POST', '/instances/legacy/restore', {})).status, 202)
  await shop.reaches(ada, 'legacy', 'running')
  const subjects = await shop.emails()
  assert.deepEqual(
    subjects.filter(subject => subject.includes('legacy')),
    ['legacy is ready'],
  )
})

test('when the operator ends an exemption, a trial starts and the instance stops after it; exempting it again resumes it', async t => {
  const { shop, ada } = await claimed(t)
  const stranger = { headers: { Authorization: 'Bearer somebody-else-altogether' }, body: {} }
  assert.equal((await shop.admin('POST', '/admin/instances/legacy/bill', stranger)).status, 401)
  assert.equal((await shop.admin('POST', '/admin/instances/nobody/bill', { body: {} })).status, 404)
  assert.deepEqual([(await say(shop, 'bill')).body.billed, await standing(ada)], [true, 'trial'])
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 409)
  // Said twice it is said once.
  await say(shop, 'bill')
  await shop.live(3)
  assert.deepEqual(await stateOf(shop, 'legacy'), ['stopped', true, null])
  await shop.live(3)
  assert.deepEqual(await stateOf(shop, 'legacy'), ['deleted', true, 'billing'])
  assert.equal((await say(shop, 'exempt')).body.billed, false)
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop, 'legacy'), running)
  const page = await shop.admin('GET', '/admin/instances/legacy', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /This instance is exempt. Its owner needs no plan for it/)
})

test('where there are no trials, the owner has the grace period to choose a plan', async t => {
  const { shop, ada } = await claimed(t, { BILLING_TRIAL_DAYS: '0', BILLING_GRACE_DAYS: '3' })
  await say(shop, 'bill')
  await shop.live(2)
  assert.deepEqual(await stateOf(shop, 'legacy'), running)
  await shop.buy(ada)
  await shop.live(3)
  assert.deepEqual(await stateOf(shop, 'legacy'), running)
})

test('an instance that is transferred needs a plan in its new account, too', async t => {
  const { shop, ada } = await claimed(t)
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.reaches(ada, 'acme', 'running')
  const body = { owner_email: 'grace@example.com' }
  await shop.admin('POST', '/admin/instances/acme/transfer', { body, wait: 20 })
  const grace = await shop.owner('grace')
  await grace.call('POST', '/instances', { subdomain: 'navy' })
  await shop.reaches(grace, 'navy', 'running')
  const full = await grace.call('POST', '/instances/acme/claim', {})
  assert.equal(full.status, 409, full.text)
  assert.deepEqual(await stateOf(shop, 'acme'), running)
  await shop.buy(grace, 'team')
  assert.equal((await grace.call('POST', '/instances/acme/claim', {})).status, 200)

  await shop.admin('POST', '/admin/instances/acme/transfer', { body: { owner_email: 'alan@example.com' } })
  const alan = await shop.owner('alan')
  assert.equal((await alan.call('POST', '/instances/acme/claim', {})).status, 200)
  assert.equal(await standing(alan), 'trial')
})
