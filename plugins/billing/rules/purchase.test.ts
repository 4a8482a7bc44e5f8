import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { openShop, type Shop } from '../shop.fixture.ts'

interface Bill {
  state: string
  subscription: { plan: string | null; quantity: number; collection_paused: { until: string | null } | null }
}
const billOf = async (owner: OwnerBrowser) => (await owner.call('GET', '/billing')).json<Bill>()
const roomOf = async (owner: OwnerBrowser) =>
  (await owner.call('GET', '/instances')).json<{ limit: number }>().limit

async function paying(t: Parameters<typeof memoryFolder>[0]) {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const ada = await shop.owner('ada')
  const id = await shop.buy(ada, 'basic')
  const stands = async () => {
    await shop.deliverEvents()
    const { plan, quantity } = (await billOf(ada)).subscription
    return [plan, quantity, await roomOf(ada)]
  }
  return { shop, ada, id, stands }
}

test('the plan is found among all items; of two, the larger one counts', async t => {
  const { shop, id, stands } = await paying(t)
  const { state } = shop.stripe
  const extras = (count: number) => Array.from({ length: count }, (_, at) => ({ price: `price_extra_${at}` }))
  const rows: [string, { price: string; quantity?: number }[], unknown[]][] = [
    ['an extra first', [{ price: 'price_support' }, { price: 'price_team' }], ['team', 1, 5]],
    ['two plans', [{ price: 'price_basic' }, { price: 'price_team' }], ['team', 1, 5]],
    ['two plans, the larger one first', [{ price: 'price_team' }, { price: 'price_basic' }], ['team', 1, 5]],
    ['behind what Stripe carries along', [...extras(14), { price: 'price_team' }], ['team', 1, 5]],
    ['three times', [{ price: 'price_basic', quantity: 3 }], ['basic', 3, 3]],
    [
      'many small ones are more than a large one',
      [{ price: 'price_team' }, { price: 'price_basic', quantity: 6 }],
      ['basic', 6, 6],
    ],
    ['none of one', [{ price: 'price_team', quantity: 0 }, { price: 'price_basic' }], ['basic', 1, 1]],
    ['no plan at all', [{ price: 'price_support', quantity: 9 }], [null, 1, 1]],
  ]
  for (const [what, items, expected] of rows) {
    state.setItems(id, items)
    assert.deepEqual(await stands(), expected, what)
  }
})

test('a quantity is shown to the owner, with its price and number of instances', async t => {
  const { shop, ada, id, stands } = await paying(t)
  shop.stripe.state.setItems(id, [{ price: 'price_team', quantity: 2 }])
  assert.deepEqual(await stands(), ['team', 2, 10])
  const { text } = await ada.visit('/billing')
  assert.match(text, /Team × 2/)
  assert.match(text, /29 € a month × 2/)
  assert.match(text, /up to 10/)
})

test('paused collection is shown to the owner and the operator; it counts as paid', async t => {
  const { shop, ada, id } = await paying(t)
  const { state } = shop.stripe
  const resumes = state.now() + 7 * 86_400
  state.pauseCollection(id, { behavior: 'void', resumes_at: resumes })
  await shop.deliverEvents()
  const bill = await billOf(ada)
  assert.equal(bill.state, 'paid')
  assert.deepEqual(bill.subscription.collection_paused, { until: new Date(resumes * 1000).toISOString() })
  assert.match((await ada.visit('/billing')).text, /No payment is collected.*counts as paid/s)
  const told = (await attention(shop))[0]
  assert.equal(told?.kind, 'collection-paused')
  assert.match(told.what, new RegExp(`${id}; its invoices are voided`))
  assert.equal(told.until, new Date(resumes * 1000).toISOString())
  const page = await shop.admin('GET', '/admin/billing', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /Collection paused/)

  state.pauseCollection(id, { behavior: 'keep_as_draft', resumes_at: null })
  await shop.deliverEvents()
  assert.deepEqual((await billOf(ada)).subscription.collection_paused, { until: null })
  assert.match((await attention(shop))[0]?.todo ?? '', /Resume collection/)

  state.pauseCollection(id, null)
  await shop.deliverEvents()
  assert.equal((await billOf(ada)).subscription.collection_paused, null)
  assert.doesNotMatch((await ada.visit('/billing')).text, /No payment is collected/)
  assert.deepEqual(await attention(shop), [])
})

async function attention(shop: Shop) {
  interface Overview {
    attention: { kind: string; what: string; todo: string; until: string | null }[]
  }
  return (await shop.admin<Overview>('GET', '/admin/billing')).body.attention
}

test('a dispute in an odd currency is shown, and no page breaks over it', async t => {
  const { shop, id } = await paying(t)
  const { state } = shop.stripe
  const dispute = state.disputes.get(state.dispute(id))
  assert.ok(dispute)
  for (const [currency, words] of [
    ['huf', /HUF.35\.00/],
    ['usdc', /35\.00 USDC/],
  ] as const) {
    Object.assign(dispute, { amount: 3500, currency })
    await shop.run('reconcile')
    const { status, body } = await shop.admin('GET', '/admin/billing', { headers: { Accept: 'text/html' } })
    assert.equal(status, 200)
    assert.match(String(body), words)
  }
})
