import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import type { Driver } from '../../provisioner/driver.ts'
import { assess, type Facts } from '../rules/standing.ts'
import { openShop, stateOf } from '../shop.fixture.ts'

const day = 86_400_000
const page = { headers: { Accept: 'text/html' } }

interface Account {
  account_id: string
  state: string
  exemption: { plan: string; why: string; by: string; since: string } | null
  earlier: { by: string; ended_by: string; ended_why: string }[]
}

async function shopWith(t: TestContext, env: Record<string, string> = {}) {
  const made: string[] = []
  const driver = (real: Driver): Driver => ({
    ...real,
    create: spec => {
      made.push(`${spec.subdomain} ${spec.limits ? spec.limits.memoryBytes / 1024 ** 2 : 'as usual'}`)
      return real.create(spec)
    },
  })
  const shop = await openShop(t, {
    root: memoryFolder(t),
    driver,
    env: { BILLING_TRIAL_DAYS: '2', BILLING_REMOVAL_DAYS: '2', BILLING_GRACE_DAYS: '3', ...env },
  })
  const ada = await shop.owner('ada')
  const id = (await ada.call('GET', '/account')).json<{ id: string }>().id
  const say = (verb: string, body: unknown, account = id) =>
    shop.admin<Account & { errors?: { path: string }[] }>(
      'POST',
      `/admin/billing/accounts/${account}/${verb}`,
      {
        body,
      },
    )
  return { shop, ada, id, say, made }
}

const terms = { plan: 'team', why: 'A friend of the house', by: 'Olga' }
const bill = async (owner: OwnerBrowser) =>
  (await owner.call('GET', '/billing')).json<{
    state: string
    reason: string | null
    exemption: { why: string; plan: string } | null
    ladder: { what: string }[]
  }>()

test('an exempted account runs again within the plan’s limits, and gets a grace period when the exemption ends', async t => {
  const { shop, ada, id, say, made } = await shopWith(t)
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.reaches(ada, 'acme', 'running')
  writeFileSync(join(shop.root, 'acme', 'precious'), 'data')
  await shop.live(6)
  assert.deepEqual(await stateOf(shop), ['deleted', true, 'billing'])

  const list = await shop.admin('GET', '/admin/billing', page)
  assert.match(String(list.body), new RegExp(`href="/admin/billing/accounts/${id}"`))
  const exempted = await say('exempt', terms)
  assert.deepEqual([exempted.status, exempted.body.state], [200, 'exempt'])
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.ok(existsSync(join(shop.root, 'acme', 'precious')))
  assert.equal(made.at(-1), 'acme 1024')
  const told = await ada.visit('/billing')
  assert.match(told.text, /Exempt from payment.*A friend of the house.*the limits of the plan Team/s)
  assert.doesNotMatch(told.text, /Choose a plan/)
  assert.equal((await ada.call('GET', '/instances')).json<{ limit: number }>().limit, 5)
  const shown = await shop.admin('GET', `/admin/billing/accounts/${id}`, page)
  assert.match(String(shown.body), /Exempt from payment.*Olga.*A friend of the house/s)
  const before = (await shop.emails()).length
  await shop.live(8)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.equal((await shop.emails()).length, before)

  const ended = await say('end-exemption', { why: 'The year is over', by: 'Otto' })
  assert.deepEqual([ended.body.state, ended.body.exemption], ['grace', null])
  assert.deepEqual([ended.body.earlier[0]?.by, ended.body.earlier[0]?.ended_by], ['Olga', 'Otto'])
  const now = await bill(ada)
  assert.deepEqual([now.state, now.reason, now.exemption], ['grace', 'exemption', null])
  assert.deepEqual(
    now.ladder.map(({ what }) => what),
    ['stop', 'remove', 'delete'],
  )
  await shop.run('enforce')
  assert.equal((await shop.emails()).at(-1), 'acme needs a plan from now on')
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  await shop.live(2)
  assert.deepEqual(await stateOf(shop), ['stopped', true, null])
  const exported = await ada.call('GET', '/account/export')
  assert.match(exported.text, /A friend of the house.*The year is over/s)
})

test('an account that is exempt before its first instance starts no trial, even when none is available', async t => {
  const { shop, ada, id, say } = await shopWith(t, { BILLING_TRIAL_LIMIT: '0' })
  const listed = await shop.admin<{ accounts: Account[] }>('GET', '/admin/billing')
  assert.deepEqual(
    listed.body.accounts.map(each => [each.account_id, each.state]),
    [[id, 'free']],
  )
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 429)
  await say('exempt', { ...terms, plan: 'basic' })
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  await shop.reaches(ada, 'acme', 'running')
  await shop.live(10)
  assert.deepEqual(await stateOf(shop), ['running', false, null])
  assert.equal(
    (await ada.call('GET', '/billing')).json<{ trial_ends_at: string | null }>().trial_ends_at,
    null,
  )
  assert.deepEqual(await shop.emails(), ['acme is ready'])
})

test('exempting needs the operator, a plan, a reason and a name; invalid input changes nothing', async t => {
  const { shop, ada, id, say } = await shopWith(t)
  for (const field of ['plan', 'why', 'by']) {
    const missing = await say('exempt', { ...terms, [field]: undefined })
    assert.deepEqual([missing.status, missing.body.errors?.[0]?.path], [422, field])
  }
  assert.equal((await say('exempt', { ...terms, why: ' ' })).status, 422)
  assert.equal((await say('exempt', { ...terms, plan: 'gold' })).body.errors?.[0]?.path, 'plan')
  assert.equal((await say('exempt', terms, 'acct_nobody')).status, 404)
  assert.equal((await say('end-exemption', { why: 'No', by: 'Olga' })).status, 409)
  assert.equal((await ada.call('POST', `/admin/billing/accounts/${id}/exempt`, terms)).status, 401)
  assert.equal((await bill(ada)).state, 'free')
  const form = await shop.admin('POST', `/admin/billing/accounts/${id}/exempt`, {
    body: { ...terms, why: '' },
    headers: { Accept: 'text/html' },
  })
  assert.deepEqual([form.status, /must say why/.test(String(form.body))], [422, true])
  assert.equal((await say('exempt', terms)).status, 200)
  assert.equal((await say('exempt', terms)).status, 409)
})

test('an active exemption overrides everything, and its end gives a grace period before any stop', () => {
  const now = Date.UTC(2026, 5, 1)
  const of = (facts: Partial<Facts>) =>
    assess(
      { trialEndsAt: null, subscriptions: [], before: null, ...facts },
      { graceMs: 14 * day, removalMs: 30 * day, keptMs: 30 * day },
      now,
    )
  const ended = (days: number) => ({ endedAt: now - days * day })
  const says = (status: 'active' | 'past_due' | 'unpaid' | 'canceled', days = 100) => [
    { status, statusSince: now - days * day },
  ]
  assert.equal(of({ exemption: 'active', subscriptions: says('unpaid') }).instances, 'run')
  for (const subscriptions of [[], says('past_due'), says('unpaid'), says('canceled')]) {
    const lately = of({ subscriptions, exemption: ended(13) })
    assert.deepEqual([lately.instances, lately.reason], ['run', 'exemption'])
    assert.equal(of({ subscriptions, exemption: ended(15) }).instances, 'stop')
  }
  assert.equal(of({ exemption: ended(1), trialEndsAt: now + day }).state, 'trial')
  assert.equal(of({ exemption: ended(400), subscriptions: says('active') }).state, 'paid')
  assert.equal(of({ exemption: ended(400) }).reason, 'exemption')
})
