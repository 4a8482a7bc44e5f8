import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/kernel/plugin.ts'
import { appForTest } from '../../src/testing/app.ts'
import { version } from '../../src/version.ts'
import { runChecks } from './checks.ts'
import { healthRoutes } from './routes.ts'

async function asked(checks: Record<string, Check>, path = '/health') {
  const app = appForTest(healthRoutes(() => runChecks(new Map(Object.entries(checks)), 20)))
  const answer = await app.request(path)
  return { status: answer.status, cache: answer.headers.get('cache-control'), body: await answer.json() }
}

test('a control plane whose checks pass is healthy', async () => {
  const { status, cache, body } = await asked({ database: () => {}, driver: async () => {} })
  assert.equal(status, 200)
  assert.equal(cache, 'no-store')
  const ok = { status: 'ok' }
  assert.deepEqual(body, { status: 'ok', version, checks: { database: ok, driver: ok } })
})

test('one failing check makes it 503, with the reason; the others are reported too', async () => {
  const { status, body } = await asked({
    database: () => {},
    disk: () => {
      throw new Error('only 3 MB are free')
    },
    driver: () => Promise.reject('no Docker'),
    mail: () => new Promise(() => {}),
  })
  assert.equal(status, 503)
  assert.deepEqual(body, {
    status: 'failing',
    version,
    checks: {
      database: { status: 'ok' },
      disk: { status: 'failing', reason: 'only 3 MB are free' },
      driver: { status: 'failing', reason: 'no Docker' },
      mail: { status: 'failing', reason: 'no answer within 20 ms' },
    },
  })
})

test('anyone may ask, with whatever a watcher adds to the address', async () => {
  assert.equal((await asked({}, '/health?nocache=1')).status, 200)
})
