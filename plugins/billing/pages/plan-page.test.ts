import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../src/testing/ask.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { traffic } from '../../traffic/index.ts'
import { day, openShop, plans } from '../shop.fixture.ts'

interface Bill {
  state: string
  trial: { days: number; available: boolean } | null
  subscription: { cancel_at: string | null; period_ends_at: string } | null
  ladder: { at: string; what: string }[]
  plans: { id: string; memory_bytes: number | null; cpus: number | null }[]
}
const billOf = async (owner: OwnerBrowser, path = '/billing') => (await owner.call('GET', path)).json<Bill>()

test('before the first instance, the page says how long a trial lasts, whether one is available, and what plans include', async t => {
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { BILLING_TRIAL_DAYS: '7', BILLING_TRIAL_LIMIT: '1' },
  })
  const [ada, eve] = [await shop.owner('ada'), await shop.owner('eve')]
  const bill = await billOf(ada)
  assert.deepEqual(bill.trial, { days: 7, available: true })
  assert.deepEqual(
    bill.plans.map(({ id, memory_bytes, cpus }) => [id, memory_bytes, cpus]),
    [
      ['basic', null, null],
      ['team', 2 ** 30, 2],
    ],
  )
  const { text } = await ada.visit('/billing')
  assert.match(text, /starts a free trial of 7 days\. It needs no card/)
  assert.match(text, /1 GiB of memory, 2 CPUs/)

  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  assert.match((await ada.visit('/billing')).text, /Billing starts at once and ends the trial/)
  assert.equal((await billOf(ada)).trial, null)
  // The only place is taken.
  assert.deepEqual((await billOf(eve)).trial, { days: 7, available: false })
  assert.match((await eve.visit('/billing')).text, /All free trials are taken/)
})

test('where there are no trials, none is promised', async t => {
  const shop = await openShop(t, { root: memoryFolder(t), env: { BILLING_TRIAL_DAYS: '0' } })
  const ada = await shop.owner('ada')
  assert.equal((await billOf(ada)).trial, null)
  const { text } = await ada.visit('/billing')
  assert.match(text, /There is no free trial here/)
  assert.doesNotMatch(text, /starts a free trial/)
})

test('after cancelling, an owner sees the dates of what follows; returning from the portal shows what was done there', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const ada = await shop.owner('ada')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  const id = await shop.buy(ada)
  assert.match((await ada.visit('/billing')).text, /renews automatically/)
  assert.deepEqual((await billOf(ada)).ladder, [])

  const { url } = (await ada.call('POST', '/portal', {})).json<{ url: string }>()
  const back = new URL(new URL(url).searchParams.get('back') ?? '')
  // No webhook comes.
  shop.stripe.state.cancelAtPeriodEnd(id)
  const bill = await billOf(ada, back.pathname + back.search)
  assert.equal(bill.state, 'paid')
  const endsAt = Date.parse(bill.subscription?.cancel_at ?? '')
  assert.deepEqual(
    bill.ladder.map(({ at, what }) => [what, (Date.parse(at) - endsAt) / day]),
    [
      ['stop', 0],
      ['remove', 30],
      ['delete', 60],
    ],
  )
  assert.match((await ada.visit('/billing')).text, /Cancelled: what happens/)
  // The operator sees it coming, too.
  const { body } = await shop.admin<{ accounts: { next: { what: string } | null }[] }>(
    'GET',
    '/admin/billing',
  )
  assert.deepEqual(
    body.accounts.map(({ next }) => next?.what),
    ['stop'],
  )

  shop.stripe.state.cancelAtPeriodEnd(id, false)
  assert.deepEqual((await billOf(ada, back.pathname + back.search)).ladder, [])
})

test('an owner with an open invoice sees which plan it is for, and its price', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const ada = await shop.owner('ada')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  const id = await shop.buy(ada)
  shop.stripe.state.renew(id, 'bad')
  await shop.deliverEvents()
  const { text } = await ada.visit('/billing')
  assert.match(text, /A payment failed/)
  assert.match(text, /9 € a month/)
  assert.doesNotMatch(text, /Paid until/)
})

test('before a removal, its page says how long data is kept and that the plan continues', async t => {
  const shop = await openShop(t, { root: memoryFolder(t), env: { RETENTION_DAYS: '10' } })
  const ada = await shop.owner('ada')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  const id = await shop.buy(ada)
  await shop.reaches(ada, 'acme', 'running')
  const instance = (await ada.visit('/instances/acme')).text
  assert.match(instance, /are kept for 10 days/)
  assert.match(instance, /The plan Basic continues without it/)
  const leave = (await ada.visit('/account/leave')).text
  assert.match(leave, /is kept for 10 days/)
  assert.match(leave, /The plan Basic ends at once/)

  // Also the list says why it stands still, and where to go.
  shop.stripe.state.become(id, 'canceled')
  await shop.deliverEvents()
  await shop.run('enforce')
  assert.match((await ada.visit('/instances')).text, /subscription has ended.*See your plan/s)
})

test('owner and operator see what a plan allows of requests, and how near the busiest minute comes', async t => {
  const limits = { requests: 100, rate: 50, body: '10m', domains: 3 }
  const offer = plans.map(plan => (plan.id === 'basic' ? { ...plan, ...limits } : plan))
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { BILLING_PLANS: JSON.stringify(offer) },
    plugins: [traffic],
  })
  const [ada, eve] = [await shop.owner('ada'), await shop.owner('eve')]
  interface Limits {
    use: { subdomain: string; requests_per_second: number; refused: number }[]
    plans: Record<string, unknown>[]
  }
  const limitsOf = async (owner: OwnerBrowser) => (await owner.call('GET', '/billing')).json<Limits>()
  const [basic, team] = (await limitsOf(ada)).plans
  const shown = (plan: Record<string, unknown> = {}) =>
    ['requests_at_once', 'requests_per_second', 'body_bytes', 'domains'].map(name => plan[name])
  assert.deepEqual(shown(basic), [100, 50, 10 * 2 ** 20, 3])
  assert.deepEqual(shown(team), [null, null, null, null])
  const words = /100 requests at a time, 50 requests a second, uploads up to 10 MiB, 3 domains of your own/
  assert.match((await ada.visit('/billing')).text, words)

  assert.ok((await ada.call('POST', '/instances', { subdomain: 'acme' })).status < 300)
  await shop.reaches(ada, 'acme', 'running')
  await shop.buy(ada, 'basic')
  assert.deepEqual((await limitsOf(ada)).use, [])
  for (let i = 0; i < 12; i++) await ask({ port: shop.port, host: 'acme.localhost', path: '/' })
  await shop.program.runOnce('traffic:look')
  const { use } = await limitsOf(ada)
  assert.deepEqual(
    use.map(({ subdomain, refused }) => [subdomain, refused]),
    [['acme', 0]],
  )
  assert.ok((use[0]?.requests_per_second ?? 0) >= 0.1)
  assert.deepEqual((await limitsOf(eve)).use, [], 'a stranger sees nothing of it')
  assert.match((await ada.visit('/billing')).text, /Busiest minute of the last day[\s\S]*acme[\s\S]* of 50/)

  const list = await shop.admin<{ accounts: { account_id: string; subdomains: string[] }[] }>(
    'GET',
    '/admin/billing',
  )
  const id = list.body.accounts.find(({ subdomains }) => subdomains.includes('acme'))?.account_id
  const path = `/admin/billing/accounts/${id}`
  const account = (await shop.admin<Limits & { plan: string }>('GET', path)).body
  assert.equal(account.plan, 'basic')
  assert.deepEqual(account.use, use)
  const page = (await shop.admin<string>('GET', path, { headers: { Accept: 'text/html' } })).body
  assert.match(page, words)
  assert.match(page, /Busiest minute of the last day/)
})
