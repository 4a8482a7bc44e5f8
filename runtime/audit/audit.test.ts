import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob } from '../engine.fixture.ts'
import { browser, password, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { openAuditLog } from './audit-log.ts'
import * as schema from './schema.ts'

interface Entry {
  actor: { kind: string; name: string } | null
  address: string
  action: string
  target: string
  fields: string[]
  status: number
}

test('every change is recorded with its author and address, and without the values sent', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob('async () => 1') } })
  const from = { 'X-Forwarded-For': '203.0.113.5' }
  await postJson(app, '/api/auth/password', { password: 'wrong-guess' }, from)
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'deploy', scope: 'write' }, { Cookie })
  const { id, secret } = (await made.json()) as { id: string; secret: string }
  const bearer = { Authorization: `Bearer ${secret}`, ...from }
  const run = (await (
    await postJson(app, '/api/jobs/job/run', { params: { a: 'b-value' } }, bearer)
  ).json()) as {
    id: string
  }
  await instance.ended(run.id)
  await postForm(app, '/api/jobs/job/disable', { next: '/' }, { Cookie })
  await app.request('/api/settings/notices', {
    method: 'PUT',
    headers: { Cookie },
    body: JSON.stringify({ webhook_url: 'https://hooks.example.com/hidden' }),
  })
  // Refused, and so no change.
  await postJson(app, '/api/jobs/none/run', {}, bearer)
  await app.request('/api/jobs', { headers: { Cookie } })
  await app.request(`/api/tokens/${id}`, { method: 'DELETE', headers: { Cookie } })
  await postForm(app, '/api/auth/logout', {}, { Cookie })

  const again = await signIn()
  const answer = await app.request('/api/audit', { headers: { Cookie: again } })
  const text = await answer.text()
  for (const value of ['wrong-guess', password, 'b-value', 'hidden', secret])
    assert.ok(!text.includes(value), value)
  const { entries, total } = JSON.parse(text) as { entries: Entry[]; total: number }
  const told = entries.map(({ actor, action, target, fields, status }) => [
    actor?.name,
    action,
    target,
    fields.join(),
    status,
  ])
  assert.deepEqual(told, [
    ['owner', 'POST /api/auth/password', '', 'password', 200],
    ['owner', 'POST /api/auth/logout', '', '', 303],
    ['owner', 'DELETE /api/tokens/{id}', 'deploy', '', 204],
    ['owner', 'PUT /api/settings/notices', '', 'webhook_url', 200],
    ['owner', 'POST /api/jobs/{id}/disable', 'job', '', 303],
    ['deploy', 'POST /api/jobs/{id}/run', 'job', 'params', 202],
    ['owner', 'POST /api/tokens', 'deploy', 'name,scope', 201],
    ['owner', 'POST /api/auth/password', '', 'password', 200],
    [undefined, 'POST /api/auth/password', '', 'password', 401],
  ])
  assert.equal(total, 9)
  assert.deepEqual([entries.at(-1)?.address, entries[5]?.address], ['203.0.113.5', '203.0.113.5'])
  assert.deepEqual(entries[5]?.actor, { kind: 'token', name: 'deploy' })

  const page = await (await app.request('/settings/audit', { headers: { ...browser, Cookie: again } })).text()
  assert.match(page, /Token “deploy”/)
  assert.match(page, /Refused/)
  const second = await app.request('/api/audit?limit=1&offset=1', { headers: { Cookie: again } })
  assert.equal(((await second.json()) as { entries: Entry[] }).entries[0]?.action, 'POST /api/auth/logout')
})

test('forms are recorded like calls, with the name of a secret and never its value', async t => {
  const { app, signIn } = await startWeb(t)
  const Cookie = await signIn()
  await postForm(app, '/secrets', { name: 'API_TOKEN', value: 'hidden-value' }, { Cookie })
  await postForm(app, '/secrets/API_TOKEN/remove', {}, { Cookie })
  const text = await (await app.request('/api/audit?limit=2', { headers: { Cookie } })).text()
  assert.ok(!text.includes('hidden-value'))
  const { entries } = JSON.parse(text) as { entries: (Entry & { summary: string })[] }
  assert.deepEqual(
    entries.map(({ summary, target }) => [summary, target]),
    [
      ['Remove a secret', 'API_TOKEN'],
      ['Set or replace a secret', 'API_TOKEN'],
    ],
  )
})

test('the oldest entries are deleted', t => {
  const clock = manualClock()
  const sqlite = openSqlite(join(temporaryFolder(t), 'x.db'))
  t.after(() => sqlite.close())
  const open = () =>
    openAuditLog(openTables(sqlite, 'audit', { schema, migrations: 'runtime/audit/migrations' }), clock, {
      ms: 1000,
      entries: 3,
    })
  const entry = {
    actorKind: null,
    actorName: null,
    address: '::1',
    action: 'POST /x',
    summary: '',
    target: '',
    fields: '',
    status: 200,
    requestId: '',
  }
  const first = open()
  for (let i = 0; i < 5; i++) first.write(entry)
  assert.equal(first.list({ limit: 10, offset: 0 }).total, 5)
  open().write(entry)
  assert.equal(first.list({ limit: 10, offset: 0 }).total, 3)
  clock.advance(2000)
  open().write(entry)
  assert.equal(first.list({ limit: 10, offset: 0 }).total, 1)
})
