import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminToken, browser, openGate } from './auth.fixture.ts'

interface Session {
  id: string
  address: string
  browser: string
  current: boolean
}

test('the operator sees where the admin token signed in, and ends a session from elsewhere', async t => {
  const { ask, signIn } = await openGate(t)
  const office = await signIn(adminToken, { peer: '192.0.2.1' })
  const cafe = await signIn(adminToken, { peer: '198.51.100.2' })
  const list = async (headers: Record<string, string>) => {
    const answer = await ask('/admin/sessions', { headers })
    assert.equal(answer.status, 200)
    return ((await answer.json()) as { sessions: Session[] }).sessions
  }
  const found = await list({ Cookie: office.cookie })
  assert.deepEqual(found.map(({ address, current }) => [address, current]).sort(), [
    ['192.0.2.1', true],
    ['198.51.100.2', false],
  ])
  const there = found.find(({ current }) => !current)?.id ?? ''
  const post = (id: string, headers: Record<string, string>) =>
    ask(`/admin/sessions/${id}/end`, { method: 'POST', headers })
  for (const headers of [{}, { Cookie: 'longhouse_session=guess' }])
    assert.equal((await post(there, headers)).status, 401, 'a stranger ends nothing')
  assert.equal((await ask('/vault', { headers: { Cookie: cafe.cookie } })).status, 200)
  assert.equal((await post(there, { ...browser, Cookie: office.cookie })).status, 303)
  assert.equal((await ask('/vault', { headers: { Cookie: cafe.cookie } })).status, 401)
  assert.equal((await ask('/vault', { headers: { Cookie: office.cookie } })).status, 200)
  const again = await ask(`/admin/sessions/${there}`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${adminToken}` },
  })
  assert.equal(again.status, 404)
  // What is shown grants nothing.
  const { id = '' } = found[0] ?? {}
  assert.equal((await ask('/vault', { headers: { Cookie: `longhouse_session=${id}` } })).status, 401)
})
