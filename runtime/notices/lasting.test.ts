import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { silentLog } from '../../src/log.ts'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { registry, standingClock } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { startHook, startWatched, type Watched } from './notices.fixture.ts'
import { openNotices } from './notices.ts'
import * as schema from './schema.ts'
import { incidents, messages } from './schema.ts'

const hour = 3_600_000
const day = 24 * hour
const files = {
  'manifest.ts': `${registry}import { existsSync } from 'node:fs'
jobRegistry.register({ id: 'job', cron: '0 8 1 1 *', func: async () => {
  if (existsSync('broken')) throw new Error('the coffee is out')
} })`,
  broken: '',
}

interface Body {
  type: string
  kind: string
  subject: string
  text: string
  reminder: number
}

const fail = async ({ instance }: Watched) =>
  instance.ended(instance.engine.run('job', { trigger: 'api' }).id)
const told = (hook: { calls: { body: string }[] }) =>
  hook.calls.map(({ body }) => {
    const { kind, reminder } = JSON.parse(body) as Body
    return reminder ? `${kind} ${reminder}` : kind
  })

test('each new channel gets the open incidents', async t => {
  const watched = await startWatched(t, { files, channels: false })
  const { notices, hook, inbox, round, clock } = watched
  for (let time = 0; time < 3; time++) await fail(watched)
  await round()
  clock.at += 3 * hour
  await round()
  assert.equal(notices.outbox.list({ limit: 10, offset: 0 }).total, 0)
  assert.equal(notices.incidents(1)[0]?.notifiedAt, null)

  notices.settings.save({ webhookUrl: hook.url })
  await round()
  await round()
  assert.deepEqual(told(hook), ['opened'])
  assert.match((JSON.parse(hook.calls[0]?.body ?? '') as Body).text, /Its last \d+ runs failed/)
  notices.settings.save({ emailTo: 'owner@example.com' })
  await round()
  await round()
  assert.deepEqual([told(hook).length, inbox.mails.length], [1, 1])

  // An incident that ends and starts again within the hour was reported already.
  notices.settings.save({ emailTo: '' })
  await round()
  notices.settings.save({ emailTo: 'owner@example.com' })
  await round()
  assert.deepEqual([told(hook).length, inbox.mails.length], [1, 1])
})

test('an open incident is repeated every day until it is muted or over', async t => {
  const watched = await startWatched(t, { files })
  const { notices, hook, round, clock, instance } = watched
  await fail(watched)
  await round()
  for (let hours = 0; hours < 47; hours++) {
    clock.at += hour
    await round()
  }
  assert.deepEqual(told(hook), ['opened', 'reminder 1'])
  clock.at += hour
  await round()
  assert.deepEqual(told(hook), ['opened', 'reminder 1', 'reminder 2'])
  const { subject, text } = JSON.parse(hook.calls[2]?.body ?? '') as Body
  assert.equal(subject, '[acme] job is still failing')
  assert.match(
    text,
    /since 2026-11-22T12:00:00.000Z.*mute it at https:\/\/acme.example.com\/settings\/notices/,
  )

  const id = notices.incidents(1)[0]?.id ?? ''
  notices.mute(id, true)
  clock.at += 3 * day
  await round()
  assert.equal(hook.calls.length, 3)
  notices.mute(id, false)
  await round()
  assert.deepEqual(told(hook).slice(3), ['reminder 3'])

  // A clock that was set back holds nothing up until it has caught up.
  clock.at -= 300 * day
  await round()
  assert.deepEqual(told(hook).slice(4), ['reminder 4'])

  notices.mute(id, true)
  rmSync(instance.path('broken'))
  await fail(watched)
  await round()
  assert.equal(told(hook).at(-1), 'recovered', 'that it is over is told all the same')
  assert.equal(notices.mute(id, true), 'over')
})

test('an owner mutes and unmutes an incident by API and page; a reader and a stranger may not', async t => {
  const clock = standingClock(Date.UTC(2026, 10, 22, 12))
  const { app, notices, instance, signIn } = await startWeb(t, { files, clock })
  const hook = await startHook(t)
  notices.settings.save({ webhookUrl: hook.url })
  await instance.ended(instance.engine.run('job', { trigger: 'api' }).id)
  await notices.watch(instance.engine)
  const Cookie = await signIn()
  const token = async (scope: string) => {
    const made = await postJson(app, '/api/tokens', { name: scope, scope }, { Cookie })
    return { Authorization: `Bearer ${((await made.json()) as { secret: string }).secret}` }
  }
  const [write, read] = [await token('write'), await token('read')]
  const [incident] = notices.incidents(1)
  const path = `/api/notices/incidents/${incident?.id}`
  assert.equal((await postJson(app, `${path}/mute`, {})).status, 401)
  assert.equal((await postJson(app, `${path}/mute`, {}, read)).status, 403)
  assert.equal(notices.incidents(1)[0]?.mutedAt, null)
  const muted = await postJson(app, `${path}/mute`, {}, write)
  const body = (await muted.json()) as Record<string, unknown>
  assert.deepEqual(
    [body.muted_at, body.told_to, body.reminders, body.kind],
    ['2026-11-22T12:00:00.000Z', ['webhook'], 0, 'failing'],
  )
  const page = async () =>
    (await app.request('/settings/notices', { headers: { ...browser, Cookie } })).text()
  assert.match(await page(), /Unmute<span class="unseen"> “Failing: job”/)
  const back = await postForm(app, `${path}/unmute`, {}, { Cookie })
  assert.deepEqual([back.status, back.headers.get('location')], [303, '/settings/notices'])
  assert.match(await page(), />Mute<span class="unseen"> “Failing: job”/)
  assert.equal((await postJson(app, '/api/notices/incidents/inc_x/mute', {}, write)).status, 404)

  rmSync(instance.path('broken'))
  await instance.ended(instance.engine.run('job', { trigger: 'api' }).id)
  await notices.watch(instance.engine)
  assert.equal((await postJson(app, `${path}/mute`, {}, write)).status, 409)
})

test('the migration marks incidents without a sent message as not notified', async t => {
  const dir = temporaryFolder(t)
  const sqlite = openSqlite(`${dir}/longhouse.db`)
  t.after(() => sqlite.close())
  const seal = openSeal({ given: null, keyFile: `${dir}/secret.key` })
  const place = { name: 'acme', origin: null }
  const db = openTables(sqlite, 'notices', { schema, migrations: 'runtime/notices/migrations' })
  openNotices({
    db,
    sendNow: () => {},
    seal,
    clock: standingClock(0),
    log: silentLog,
    place,
    product: 'Longhouse',
    mail: { smtpUrl: '', smtpFrom: '' },
  })
  const old = { kind: 'failing' as const, detail: '', openedAt: 1, closedAt: null, notifiedAt: 1 }
  db.insert(incidents)
    .values([
      { ...old, id: 'inc_a', jobId: 'a', notifiedChannels: [] },
      { ...old, id: 'inc_b', jobId: 'b', notifiedChannels: [] },
    ])
    .run()
  const sent = { status: 'sent' as const, attempts: 1, nextAt: 1, createdAt: 1, finishedAt: 1, error: null }
  const content = { type: '', subject: '', text: '', jobId: 'b', incidentId: 'inc_b', url: null, at: 1 }
  db.insert(messages)
    .values({ id: 'msg_b', incidentId: 'inc_b', kind: 'opened', channel: 'email', content, ...sent })
    .run()
  const { readFileSync } = await import('node:fs')
  const { programRoot } = await import('../../src/root.ts')
  const migration = readFileSync(programRoot('runtime/notices/migrations/0001_told.sql'), 'utf8')
  const updates = migration.split('--> statement-breakpoint').filter(part => part.trim().startsWith('UPDATE'))
  assert.equal(updates.length, 2)
  for (const update of updates) sqlite.exec(update)
  const rows = db.select().from(incidents).all()
  assert.deepEqual(
    rows.map(({ id, notifiedAt, notifiedChannels }) => [id, notifiedAt, notifiedChannels]),
    [
      ['inc_a', null, []],
      ['inc_b', 1, ['email']],
    ],
  )
})
