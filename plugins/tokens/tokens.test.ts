import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemDocument } from '../../src/http/problem.ts'
import { setClock } from '../../src/testing/clock.ts'
import { allRows } from '../../src/testing/rows.ts'
import { audit } from '../audit/index.ts'
import type { WireEntry } from '../audit/wire.ts'
import { openTown } from '../owners/owners.fixture.ts'
import { token as adminToken, type TestFleet, testFleet } from '../provisioner/fleet.fixture.ts'
import { tokens } from './index.ts'

const day = 86_400_000

interface WireToken {
  id: string
  secret: string
  hint: string
  expires_at: string | null
  last_used_at: string | null
  last_used_from: string | null
}

const create = async (fleet: TestFleet, body: object) => {
  const answer = await fleet.admin<WireToken>('POST', '/admin/tokens', { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}
const by = (secret: string) => ({ headers: { Authorization: `Bearer ${secret}` } })
const statusOf = async (fleet: TestFleet, secret: string, method = 'GET', path = '/admin/instances') =>
  (
    await fleet.admin<ProblemDocument>(method, path, {
      ...by(secret),
      ...(method === 'POST' && { body: {} }),
    })
  ).status

test('a token does what its role allows, the log names it, and a revoked one is refused', async t => {
  const fleet = await testFleet(t, {
    plugins: [audit, tokens],
    env: { LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1' },
  })
  await fleet.provision('acme')
  const deploy = await create(fleet, { name: 'deploy script', role: 'operate' })
  assert.match(deploy.secret, /^lho_[\w-]{43}$/)
  assert.ok(deploy.secret.startsWith(deploy.hint))
  const stopped = await fleet.admin('POST', '/admin/instances/acme/stop', {
    body: {},
    wait: 30,
    headers: { ...by(deploy.secret).headers, 'X-Forwarded-For': '198.51.100.9' },
  })
  assert.equal(stopped.status, 200)
  assert.deepEqual(stopped.body.operation?.actor, { kind: 'token', id: deploy.id, name: 'deploy script' })
  // Deleting for good needs more, also through the address that only removes.
  for (const [method, path] of [
    ['DELETE', '/admin/instances/acme?purge=true'],
    ['POST', '/admin/instances/acme/purge'],
    ['POST', '/admin/tokens'],
  ] as const)
    assert.equal(await statusOf(fleet, deploy.secret, method, path), 403, path)

  const { body: list } = await fleet.admin<{ tokens: WireToken[] }>('GET', '/admin/tokens')
  assert.equal(list.tokens[0]?.last_used_from, '127.0.0.1')
  assert.ok(list.tokens[0].last_used_at)
  assert.doesNotMatch(JSON.stringify(list), new RegExp(deploy.secret))
  const rows = JSON.stringify(
    allRows(`${fleet.root}/.control/longhouse.db`, { tables: /sqlite_|_migrations$/, columns: [] }),
  )
  assert.doesNotMatch(rows, new RegExp(deploy.secret), 'only a hash is stored')

  assert.equal((await fleet.admin('DELETE', `/admin/tokens/${deploy.id}`)).status, 204)
  assert.equal((await fleet.admin('DELETE', `/admin/tokens/${deploy.id}`)).status, 404)
  assert.equal(await statusOf(fleet, deploy.secret), 401)

  const { body } = await fleet.admin<{ entries: WireEntry[] }>('GET', '/admin/audit')
  assert.deepEqual(
    body.entries
      .slice(0, 8)
      .map(({ actor, action, target, result }) => `${actor.name}: ${action} ${target}: ${result}`),
    [
      `admin token: DELETE /admin/tokens/{id} ${deploy.id}: refused`,
      'admin token: revoke-token deploy script: done',
      'deploy script: POST /admin/tokens : refused',
      'deploy script: POST /admin/instances/{subdomain}/purge acme: refused',
      'deploy script: DELETE /admin/instances/{subdomain} acme: refused',
      'deploy script: stop acme: done',
      'deploy script: stop acme: accepted',
      'admin token: create-token deploy script: done',
    ],
  )
})

test('a token for some instances reaches these and nothing beside them', async t => {
  const fleet = await testFleet(t, { plugins: [tokens] })
  await fleet.provision('acme')
  await fleet.provision('brass')
  const only = await create(fleet, { name: 'acme only', role: 'own', instances: ['acme'] })
  assert.equal(await statusOf(fleet, only.secret, 'GET', '/admin/instances/acme'), 200)
  for (const [method, path] of [
    ['GET', '/admin/instances/brass'],
    ['DELETE', '/admin/instances/brass?purge=true'],
    ['GET', '/admin/instances'],
    ['GET', '/admin/overview'],
    ['GET', '/metrics'],
    ['POST', '/admin/instances'],
    ['POST', '/admin/tokens'],
  ] as const)
    if (path !== '/admin/overview' && path !== '/metrics')
      assert.equal(await statusOf(fleet, only.secret, method, path), 403, path)
  const copy = await fleet.admin<ProblemDocument>('POST', '/admin/instances/acme/restore', {
    ...by(only.secret),
    body: { backup: 'bak_1', into: 'another' },
  })
  assert.deepEqual([copy.status, copy.body.type], [403, 'urn:longhouse:problem:out-of-scope'])

  // The name passes to another instance: the token does not.
  await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  await fleet.provision('acme', 'bob@example.com')
  assert.equal(await statusOf(fleet, only.secret, 'GET', '/admin/instances/acme'), 403)

  const wrong = await fleet.admin<ProblemDocument>('POST', '/admin/tokens', {
    body: { name: 'x', role: 'own', instances: ['acme', 'nowhere'] },
  })
  assert.equal(wrong.status, 422)
  assert.deepEqual(wrong.body.errors, [
    { path: 'instances', message: 'must be subdomains of instances; there is no "nowhere"' },
  ])
})

test('a token ends when it expires; guesses are limited, and right tokens are not', async t => {
  const clock = setClock()
  const fleet = await testFleet(t, { plugins: [tokens], clock })
  const short = await create(fleet, { name: 'for a week', role: 'read', expires_in: '7d' })
  const long = await create(fleet, { name: 'for good', role: 'read' })
  assert.equal(long.expires_at, null)
  clock.advance(7 * day - 60_000)
  assert.equal(await statusOf(fleet, short.secret), 200)
  clock.advance(60_000)
  assert.equal(await statusOf(fleet, short.secret), 401)
  for (let i = 0; i < 9; i++) assert.equal(await statusOf(fleet, `lho_guess-${i}-of-a-token`), 401)
  assert.equal(await statusOf(fleet, 'lho_one-guess-too-many'), 429)
  assert.equal(await statusOf(fleet, long.secret), 200)
  for (const [body, path] of [
    [{ name: '', role: 'read' }, 'name'],
    [{ name: 'for good', role: 'read' }, 'name'],
    [{ name: 'x', role: 'admin' }, 'role'],
    [{ name: 'x', role: 'read', expires_in: 'a while' }, 'expires_in'],
  ] as const) {
    const refused = await fleet.admin<ProblemDocument>('POST', '/admin/tokens', { body })
    assert.deepEqual([refused.status, refused.body.errors?.map(error => error.path)], [422, [path]])
  }
})

test('the operator creates and revokes tokens on the page; owners and strangers cannot', async t => {
  const town = await openTown(t, { plugins: [tokens] })
  const operator = town.browser()
  await operator.visit('/login', { token: adminToken })
  const made = await operator.visit('/admin/tokens', {
    name: 'page',
    role: 'read',
    instances: '',
    expires_in: '',
  })
  assert.equal(made.status, 201)
  const [secret = ''] = /lho_[\w-]{43}/.exec(made.text) ?? []
  assert.equal(await statusOf(town, secret), 200)
  const again = await operator.visit('/admin/tokens')
  assert.doesNotMatch(again.text, new RegExp(secret))
  const refused = await operator.visit('/admin/tokens', {
    name: 'page',
    role: 'read',
    instances: '',
    expires_in: '',
  })
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Another token is called/)
  const [, action = ''] = /action="(\/admin\/tokens\/[^"]+\/revoke)"/.exec(again.text) ?? []
  const ada = await town.owner('ada')
  for (const browser of [ada, town.browser()]) {
    assert.ok([303, 401].includes((await browser.visit(action, {})).status))
    assert.ok([303, 401].includes((await browser.visit('/admin/tokens')).status))
  }
  assert.equal(await statusOf(town, secret), 200)
  assert.equal((await operator.visit(action, {})).status, 303)
  assert.equal(await statusOf(town, secret), 401)
})
