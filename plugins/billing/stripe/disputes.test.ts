import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { openShop } from '../shop.fixture.ts'

interface Overview {
  attention: { kind: string; email: string; what: string; until: string | null; url: string }[]
}

test('a dispute stops no instance, and the operator sees what to do until it is closed', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const { state } = shop.stripe
  const ada = await shop.owner('ada')
  const id = await shop.buy(ada)
  const matters = async () => (await shop.admin<Overview>('GET', '/admin/billing')).body.attention
  const bill = async () => (await ada.call('GET', '/billing')).json<{ state: string }>().state
  assert.deepEqual(await matters(), [])

  const won = state.dispute(id)
  await shop.deliverEvents()
  const [matter] = await matters()
  assert.deepEqual([matter?.kind, matter?.email], ['dispute-to-answer', 'ada@example.com'])
  assert.match(matter?.what ?? '', /The bank wants €9\.00 back \(fraudulent\)/)
  const dueBy = state.disputes.get(won)?.evidence_details.due_by ?? 0
  assert.ok(dueBy > state.now())
  assert.equal(Date.parse(matter?.until ?? ''), dueBy * 1000)
  assert.ok(matter?.url.endsWith(`/test/disputes/${won}`))
  const page = await shop.admin('GET', '/admin/billing', { headers: { Accept: 'text/html' } })
  assert.match(String(page.body), /Dispute to answer.*Open at Stripe/s)
  assert.equal(await bill(), 'paid')
  const { body } = await shop.admin<{ events: { type: string; status: string }[] }>(
    'GET',
    '/admin/billing/events',
  )
  const states = body.events.filter(({ type }) => type.startsWith('charge.dispute.'))
  assert.deepEqual(new Set(states.map(({ status }) => status)), new Set(['done']))

  state.closeDispute(won, 'won')
  await shop.deliverEvents()
  assert.deepEqual(await matters(), [])

  // Another one, of which no event comes: the hourly round finds it, and its end.
  const lost = state.dispute(id)
  state.closeDispute(lost, 'lost')
  await shop.run('reconcile')
  assert.equal((await matters())[0]?.kind, 'dispute-lost')
  assert.equal(await bill(), 'paid', 'whether it goes on is for people to say')
  state.become(id, 'canceled')
  await shop.deliverEvents()
  assert.deepEqual(await matters(), [])
})

test('a dispute about another customer’s payment is ignored', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const { state } = shop.stripe
  const stranger = state.createCustomer({ email: 'x@example.com', metadata: {} })
  state.dispute(state.subscribe(stranger.id).id)
  await shop.deliverEvents()
  assert.deepEqual((await shop.admin<Overview>('GET', '/admin/billing')).body.attention, [])
})
