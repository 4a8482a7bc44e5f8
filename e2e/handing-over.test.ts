import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLonghouse } from './longhouse.fixture.ts'

test('an instance with a new owner refuses every session and token of the previous owner', async t => {
  const { admin, instance, login, provision } = await startLonghouse(t, { driver: 'process' })
  const { password } = await provision('acme')
  const call = await login('acme', password)
  const makeToken = async (as: typeof call): Promise<Record<string, string>> => {
    const body = { name: 'script', scope: 'write' }
    const made = await as('/api/tokens', { method: 'POST', body })
    assert.equal(made.status, 201, made.text)
    return { Authorization: `Bearer ${made.json<{ secret: string }>().secret}` }
  }
  const jobs = async (headers: Record<string, string>) =>
    (await instance('acme', '/api/jobs', { headers })).status
  const old = await makeToken(call)
  assert.equal(await jobs(old), 200)

  const restarted = await admin('/admin/instances/acme/restart', { method: 'POST', wait: 60 })
  assert.equal(restarted.status, 200, restarted.text)
  assert.equal(await jobs(old), 200, 'a restart ends nothing')

  const body = { owner_email: 'grace@example.com' }
  const given = await admin('/admin/instances/acme/transfer', { method: 'POST', body, wait: 60 })
  assert.equal(given.status, 200, given.text)
  assert.equal(await jobs(old), 401)
  assert.equal((await call('/api/jobs')).status, 401)

  const another = await login('acme', given.json<{ password: string }>().password)
  const own = await makeToken(another)
  await admin('/admin/instances/acme/restart', { method: 'POST', wait: 60 })
  assert.equal(await jobs(own), 200, 'what the new owner made stays')
})
