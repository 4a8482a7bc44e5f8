import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import type { Driver } from '../../provisioner/driver.ts'
import { openShop, plans, retain, stateOf } from '../shop.fixture.ts'

const hour = 3_600_000

interface Bill {
  state: string
  reason: string | null
  trial_ends_at: string | null
  subscription: { status: string; plan: string; cancel_at: string | null } | null
  ladder: { at: string; what: string }[]
}
const billOf = async (owner: OwnerBrowser) => (await owner.call('GET', '/billing')).json<Bill>()

/** A shop with one owner who tries it, and has something to lose. */
async function trying(t: TestContext, options: Parameters<typeof openShop>[1] = {}) {
  const shop = await openShop(t, { root: memoryFolder(t), ...options })
  const ada = await shop.owner('ada')
  const made = await ada.call('POST', '/instances', { subdomain: 'acme' })
  assert.ok(made.status < 300, made.text)
  await shop.reaches(ada, 'acme', 'running')
  writeFileSync(join(shop.root, 'acme', 'precious'), 'data')
  return { shop, ada }
}

test('a trial starts at once, ends after a reminder, and paying brings the instance back; each step is emailed', async t => {
  const { shop, ada } = await trying(t)
  const bill = await billOf(ada)
  assert.equal(bill.state, 'trial')
  assert.deepEqual(
    bill.ladder.map(({ what }) => what),
    ['stop', 'remove', 'delete'],
  )
  const full = (await ada.visit('/new')).text
  assert.match(full, /The trial has room for one instance\..*<a class="button primary" href="\/billing">/s)
  await shop.run('enforce')
  assert.deepEqual(await shop.emails(), ['acme is ready'])
  assert.doesNotMatch(shop.inbox.mails[0]?.text ?? '', /password/i)
  await shop.live(10)
  assert.equal((await billOf(ada)).state, 'trial')
  assert.equal((await shop.emails()).length, 1)
  await shop.live(1)
  assert.match((await shop.emails())[1] ?? '', /^The trial of acme ends on/)
  await shop.live(2)
  assert.equal((await shop.emails()).length, 3, 'three days before, and one')
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  assert.equal((await shop.emails()).at(-1), 'acme has stopped')
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))

  assert.deepEqual([(await billOf(ada)).state, (await billOf(ada)).reason], ['over', 'trial'])
  const refused = await ada.call('POST', '/instances/acme/start', {})
  assert.equal(refused.status, 409)
  assert.match(refused.text, /The free trial has ended/)
  await shop.buy(ada)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  await shop.run('enforce')
  assert.equal((await shop.emails()).at(-1), 'acme is back')
  assert.equal((await billOf(ada)).subscription?.plan, 'basic')
})

test('a failed card leads to grace, then a stop; paying resumes; failing again leads to removal, and paying restores', async t => {
  const { shop, ada } = await trying(t)
  const id = await shop.buy(ada)
  await shop.live(20)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  shop.stripe.state.renew(id, 'bad')
  await shop.deliverEvents()
  await shop.run('enforce')
  assert.equal((await shop.emails()).at(-1), 'A payment for acme failed')
  const mail = shop.inbox.mails.at(-1)?.text.replaceAll('=\r\n', '') ?? ''
  assert.match(mail, /- \d+ \w+ \d{4}: Your instance stops/)
  await shop.live(13)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  shop.stripe.state.pay(id)
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['running', false, null])

  shop.stripe.state.renew(id, 'bad')
  shop.stripe.state.become(id, 'unpaid')
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  await shop.live(29)
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['deleted', true, 'billing'])
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
  shop.stripe.state.pay(id)
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
})

test('what the operator or the owner stopped or removed stays so after a payment', async t => {
  const { shop, ada } = await trying(t)
  const id = await shop.buy(ada)
  await shop.live(15)
  await shop.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  await shop.live(1)
  assert.deepEqual(await stateOf(shop), ['stopped', false, null])
  shop.stripe.state.become(id, 'unpaid')
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  shop.stripe.state.pay(id)
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['stopped', false, null])
  await shop.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['deleted', false, 'operator'])
})

test('nothing is removed or purged while Stripe is away, nor when a payment’s event was lost', async t => {
  const { shop, ada } = await trying(t)
  const id = await shop.buy(ada)
  await shop.live(15)
  shop.stripe.state.become(id, 'unpaid')
  await shop.deliverEvents()
  await shop.live(28)
  shop.stripe.mood = 'away'
  await shop.live(5)
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  shop.stripe.mood = 'well'
  await shop.live(1)
  assert.deepEqual(await stateOf(shop), ['deleted', true, 'billing'])

  shop.stripe.mood = 'failing'
  await retain(shop, 31)
  assert.equal((await shop.whenIdle('acme')).operation?.kind, 'deprovision')
  const page = await shop.admin('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /billing could not be asked/)
  // Paid again, and every webhook of it lost: the question before the purge finds it out.
  shop.stripe.state.subscription(id).status = 'active'
  shop.stripe.mood = 'well'
  await shop.program.runOnce('provisioner:retention')
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
})

test('before a stop, Stripe is asked for a recent payment; while Stripe is away, the stop waits for a day', async t => {
  const { shop, ada } = await trying(t)
  const id = await shop.buy(ada)
  shop.stripe.state.renew(id, 'bad')
  await shop.deliverEvents()
  await shop.live(13)
  // Paid on the last day, and every word of it lost.
  shop.stripe.state.pay(id)
  shop.clock.advance(2 * 24 * hour)
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.equal((await shop.emails()).includes('acme has stopped'), false)

  shop.stripe.state.renew(id, 'bad')
  await shop.deliverEvents()
  shop.clock.advance(14 * 24 * hour)
  shop.stripe.mood = 'away'
  await shop.run('enforce')
  shop.clock.advance(23 * hour)
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  shop.clock.advance(hour)
  await shop.run('enforce')
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  assert.equal((await shop.emails()).at(-1), 'acme has stopped')
})

test('the whole ladder: cancelled, stopped, removed, announced, deleted', async t => {
  const { shop, ada } = await trying(t)
  const id = await shop.buy(ada)
  shop.stripe.state.cancelAtPeriodEnd(id)
  await shop.deliverEvents()
  assert.notEqual((await billOf(ada)).subscription?.cancel_at, null)
  await shop.live(30)
  assert.deepEqual(await stateOf(shop), ['running', false, null], 'paid for until then')
  shop.stripe.state.become(id, 'canceled')
  await shop.deliverEvents()
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  await shop.live(31)
  assert.deepEqual(await stateOf(shop), ['deleted', true, 'billing'])
  await retain(shop, 24)
  await shop.run('enforce')
  assert.match((await shop.emails()).at(-1) ?? '', /^The data of acme will be deleted on/)
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
  await retain(shop, 7)
  await eventually('the data is gone', () => !existsSync(join(shop.root, 'acme')))
})

test('an account gets one trial, up to the limit of trials; a refusal creates nothing', async t => {
  const { shop, ada } = await trying(t, { env: { BILLING_TRIAL_LIMIT: '1' } })
  const grace = await shop.owner('grace')
  const refused = await grace.call('POST', '/instances', { subdomain: 'navy' })
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '86400'])
  const page = await grace.visit('/instances', { subdomain: 'navy' })
  assert.equal(page.status, 429)
  assert.match(page.text, /All free trials are taken/)
  assert.equal((await billOf(grace)).trial_ends_at, null)
  // An owner who pays starts no trial.
  await shop.buy(ada)
  await shop.run('enforce')
  assert.ok((await grace.call('POST', '/instances', { subdomain: 'navy' })).status < 300)
  await shop.reaches(grace, 'navy', 'running')
  // Removed and made anew, it is the same trial.
  const until = (await billOf(grace)).trial_ends_at
  await shop.admin('DELETE', '/admin/instances/navy?purge=true', { wait: 60 })
  shop.clock.advance(hour)
  assert.ok((await grace.call('POST', '/instances', { subdomain: 'navy2' })).status < 300)
  assert.equal((await billOf(grace)).trial_ends_at, until)
  await shop.reaches(grace, 'navy2', 'running')
  // A name that cannot be had begins no trial.
  const alan = await shop.owner('alan')
  assert.equal((await alan.call('POST', '/instances', { subdomain: 'acme' })).status, 409)
  assert.equal((await billOf(alan)).trial_ends_at, null)
})

test('a plan limits the instances; a second subscription is refused; closing the account cancels the first', async t => {
  const made: string[] = []
  const driver = (real: Driver): Driver => ({
    ...real,
    create: spec => {
      made.push(
        `${spec.subdomain} ${spec.limits ? `${spec.limits.memoryBytes / 1024 ** 2} MiB` : 'as usual'}`,
      )
      return real.create(spec)
    },
  })
  const { shop, ada } = await trying(t, { driver })
  await shop.buy(ada, 'team')
  await shop.whenIdle('acme')
  assert.deepEqual(made, ['acme as usual', 'acme 1024 MiB'])
  const list = (await ada.call('GET', '/instances')).json<{ limit: number }>()
  assert.equal(list.limit, 5)
  assert.ok((await ada.call('POST', '/instances', { subdomain: 'acme-two' })).status < 300)
  await shop.reaches(ada, 'acme-two', 'running')
  const twice = await ada.call('POST', '/checkout', { plan: 'basic' })
  assert.equal(twice.status, 409)
  const unknown = await ada.call('POST', '/checkout', { plan: 'gold' })
  assert.deepEqual([unknown.status, /must be one of basic, team/.test(unknown.text)], [422, true])
  const portal = await ada.visit('/portal', {})
  assert.deepEqual([portal.status, /\/portal\/cus_/.test(portal.headers.location ?? '')], [303, true])

  const [account] = shop.program.services.auth?.accounts.list() ?? []
  shop.program.services.auth?.accounts.close(account?.id ?? '')
  await shop.run('reconcile')
  assert.deepEqual(
    [...shop.stripe.state.subscriptions.values()].map(each => each.status),
    ['canceled'],
  )
})

test('after a change to a smaller plan, the newest instances beyond its room stop, and lose nothing', async t => {
  const { shop, ada } = await trying(t)
  const [item] = shop.stripe.state.subscription(await shop.buy(ada, 'team')).items.data
  assert.ok(item)
  const pays = async (price: string) => {
    item.price.id = price
    await shop.run('reconcile')
    await shop.run('enforce')
  }
  const team = item.price.id
  const basic = plans.find(({ id }) => id === 'basic')?.price ?? ''
  await shop.whenIdle('acme')
  shop.clock.advance(hour)
  assert.ok((await ada.call('POST', '/instances', { subdomain: 'acme-two' })).status < 300)
  await shop.reaches(ada, 'acme-two', 'running')
  const standing = async () => {
    const both = await Promise.all([shop.whenIdle('acme'), shop.whenIdle('acme-two')])
    return both.map(({ status }) => status)
  }

  await pays(basic)
  assert.deepEqual(await standing(), ['running', 'stopped'])
  const shown = await ada.visit('/instances/acme-two')
  assert.match(shown.text, /Your plan has room for one instance/)
  assert.equal((await ada.call('POST', '/instances/acme-two/start', {})).status, 409)
  for (let weeks = 0; weeks < 6; weeks++) {
    await shop.live(7)
    assert.equal((await ada.visit('/instances')).status, 200)
  }
  assert.deepEqual(await standing(), ['running', 'stopped'], 'it is paid for: nothing is removed')

  // Which one runs is for its owner to say.
  assert.equal((await ada.call('POST', '/instances/acme/remove', {})).status, 202)
  await shop.run('enforce')
  assert.deepEqual(await standing(), ['deleted', 'running'])
  assert.equal((await ada.call('POST', '/instances/acme/restore', {})).status, 409)
  await pays(team)
  assert.equal((await ada.call('POST', '/instances/acme/restore', {})).status, 202)
  assert.deepEqual(await standing(), ['running', 'running'])

  // A price that the operator removed from the list blocks no one.
  await pays('price_of_old')
  assert.deepEqual(await standing(), ['running', 'running'])
})
