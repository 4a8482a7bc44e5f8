import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { ask } from '../../../src/testing/ask.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { RouteLimits, RouterService } from '../../router/contract.ts'
import { openShop, plans } from '../shop.fixture.ts'

test('a plan limits the requests to its instances at once, and another plan lifts that, without a restart', async t => {
  const offer = plans.map(plan => (plan.id === 'basic' ? { ...plan, body: '10k', requests: 50 } : plan))
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { BILLING_PLANS: JSON.stringify(offer) },
  })
  const ada = await shop.owner('ada')
  assert.ok((await ada.call('POST', '/instances', { subdomain: 'acme' })).status < 300)
  await shop.reaches(ada, 'acme', 'running')
  const post = async (bytes: number) => {
    const body = 'x'.repeat(bytes)
    const { status } = await ask({ port: shop.port, host: 'acme.localhost', method: 'POST', path: '/', body })
    return status
  }
  assert.notEqual(await post(20_000), 413)
  const id = await shop.buy(ada, 'basic')
  assert.equal(await post(20_000), 413)
  assert.notEqual(await post(9000), 413)
  const before = (await shop.whenIdle('acme')).operation
  assert.equal(before?.kind, 'provision')
  shop.stripe.state.setItems(id, [{ price: 'price_team' }])
  await shop.deliverEvents()
  assert.notEqual(await post(20_000), 413)
})

test('after a restart the limits of plans are there before the first request and before any task', async t => {
  const offer = plans.map(plan => (plan.id === 'basic' ? { ...plan, requests: 50 } : plan))
  const root = memoryFolder(t)
  const env = { BILLING_PLANS: JSON.stringify(offer) }
  const shop = await openShop(t, { root, env })
  const ada = await shop.owner('ada')
  assert.ok((await ada.call('POST', '/instances', { subdomain: 'acme' })).status < 300)
  await shop.reaches(ada, 'acme', 'running')
  await shop.buy(ada, 'basic')
  await shop.program.stop()

  // What an edge is sent first.
  let first: RouteLimits | undefined
  const listener = definePlugin({
    name: 'first-state',
    needs: ['billing', 'router'],
    setup: ({ services }) => ({
      start: () => {
        const router = services.router as RouterService & {
          table: { rulesOf(subdomain: string): { limits?: RouteLimits } }
        }
        first = router.table.rulesOf('acme').limits
      },
    }),
  })
  await openShop(t, { root, env, clock: shop.clock, stripe: shop.stripe, plugins: [listener] })
  assert.equal(first?.requests, 50)
})

test('the limits of a plan that cannot be are named', async t => {
  const offer = [{ ...plans[0], requests: 0, rate: 1.5, body: 'large' }]
  await assert.rejects(openShop(t, { env: { BILLING_PLANS: JSON.stringify(offer) } }), (error: Error) => {
    for (const fault of [
      /requests: must be 1 or more/,
      /rate: must be a whole number/,
      /body: must be a size such as/,
    ])
      assert.match(error.message, fault)
    return true
  })
})
