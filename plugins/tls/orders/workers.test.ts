import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setClock } from '../../../src/testing/clock.ts'
import { noPebble, startPebble } from './pebble.fixture.ts'
import { secured, shown, startSite } from './site.fixture.ts'

it('workers answer challenges, and take a renewed certificate without a refused connection', {
  skip: noPebble,
}, async t => {
  const pebble = await startPebble(t)
  const site = await startSite(t, pebble, { ROUTER_WORKERS: '2' }, { clock: setClock() })
  const host = 'control.example.test'
  const first = await secured(site, pebble, host)
  site.edge.router.set('acme', { state: 'stopped', instanceId: 'inst_a' })
  site.edge.router.setRule('acme', 'hosts', ['shop.example'])
  await site.renew()
  await secured(site, pebble, 'acme.example.test')
  await secured(site, pebble, 'shop.example')

  const seen = new Set<string>()
  let over = false
  // Connects all the while, as clients do.
  const clients = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!over) seen.add(await shown(site, pebble, host))
    }),
  )
  site.clock.step(4 * 365 * 86_400_000)
  await site.renew()
  const second = await secured(site, pebble, host, first)
  over = true
  await clients
  assert.ok(seen.has(first))
  assert.deepEqual(
    [...seen].filter(each => each !== first && each !== second),
    [],
  )
})
