import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appForTest } from '../../src/testing/app.ts'
import { ask } from '../../src/testing/ask.ts'
import { manualClock } from '../../src/testing/clock.ts'
import type { Site } from '../site/contract.ts'
import { tlsAskRoute } from './tls-ask.ts'
import { openVillage } from './village.fixture.ts'

test('the proxy in front learns what to get certificates for, and no one else does', async t => {
  const town = await openVillage(t, { LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1' })
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const claim = await town.add(ada, 'acme', 'jobs.acme.test')
  const asks = async (domain: string, headers: Record<string, string> = {}, host = '127.0.0.1') =>
    (
      await ask({
        ...{ port: town.port, host, headers },
        path: `/internal/tls-ask?domain=${encodeURIComponent(domain)}`,
      })
    ).status
  assert.equal(await asks('jobs.acme.test'), 404)
  town.prove(claim)
  await town.check(ada, 'acme', 'jobs.acme.test')
  for (const name of [
    'jobs.acme.test',
    'JOBS.acme.test.',
    'control.localhost',
    'localhost',
    'acme.localhost',
  ])
    assert.equal(await asks(name), 200, name)
  for (const name of ['x.acme.test', 'nobody.localhost', 'x.acme.localhost', 'evil.test', 'a b', '../x'])
    assert.equal(await asks(name), 404, name)
  assert.equal(await asks(''), 422)
  assert.equal(await asks('jobs.acme.test', {}, `control.localhost:${town.port}`), 200)
  assert.equal(await asks('jobs.acme.test', { 'X-Forwarded-For': '192.0.2.7' }), 404, 'not the proxy’s own')
  await ada.call('POST', '/instances/acme/remove', {})
  await town.reaches(ada, 'acme', 'deleted')
  assert.equal(await asks('jobs.acme.test'), 404)
  assert.equal(await asks('acme.localhost'), 404)
})

test('however often the proxy asks, it takes only so many answers a second', async () => {
  const clock = manualClock()
  const site: Pick<Site, 'trustedProxies'> = { trustedProxies: [] }
  const app = appForTest([tlsAskRoute({ site, clock, serves: () => true })])
  const asks = async () => (await app.request('/internal/tls-ask?domain=acme.box.example')).status
  const burst = async () => {
    const statuses: number[] = []
    for (let each = 0; each < 300; each++) statuses.push(await asks())
    return [...new Set(statuses)].sort()
  }
  assert.deepEqual(await burst(), [200, 429])
  clock.advance(1000)
  assert.equal(await asks(), 200)
})
