import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { oneJob, registry } from '../engine.fixture.ts'
import { startWatched } from './notices.fixture.ts'

const minute = 60_000
const hour = 60 * minute
/** Fails while a file says so. */
const moody = {
  'manifest.ts': `${registry}import { existsSync } from 'node:fs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: async () => {
  if (existsSync('broken')) throw new Error('the coffee is out\\nof order')
} })`,
  broken: '',
}

interface Body {
  id: string
  type: string
  instance: string
  subject: string
  text: string
  job_id: string | null
  incident_id: string | null
  url: string
}

const apiRun = async ({ instance }: Awaited<ReturnType<typeof startWatched>>) =>
  instance.ended(instance.engine.run('job', { trigger: 'api' }).id)

const mend = async ({ instance }: Awaited<ReturnType<typeof startWatched>>) => {
  const { rmSync } = await import('node:fs')
  rmSync(instance.path('broken'))
}

test('a failure sends one email and one webhook, and so does the recovery', async t => {
  const watched = await startWatched(t, { files: moody })
  const { inbox, hook, round, notices, clock } = watched
  assert.deepEqual([inbox.mails.length, hook.calls.length], [0, 0])

  await apiRun(watched)
  for (let time = 0; time < 3; time++) {
    await round()
    clock.at += minute
    await apiRun(watched)
  }
  assert.deepEqual([inbox.mails.length, hook.calls.length], [1, 1])
  const [mail] = inbox.mails
  assert.deepEqual(mail?.to, ['owner@example.com'])
  assert.match(mail?.text ?? '', /^Subject: \[acme\] job failed\r$/m)
  assert.match(mail?.text ?? '', /^From: jobs@acme\.example\.com\r$/m)
  assert.match(mail?.text ?? '', /Its last run failed: the coffee is out\r\n/)
  assert.match(mail?.text ?? '', /https:\/\/acme\.example\.com\/jobs\/job/)
  const call = hook.calls[0]
  const body = JSON.parse(call?.body ?? '') as Body
  assert.deepEqual([body.type, body.instance, body.job_id], ['job.failing', 'acme', 'job'])
  assert.equal(call?.headers['longhouse-delivery'], body.id)
  const { webhookSecret } = notices.settings.current()
  const [, stamp, signature] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(call?.headers['longhouse-signature'])) ?? []
  assert.equal(signature, createHmac('sha256', webhookSecret).update(`${stamp}.${call?.body}`).digest('hex'))

  await mend(watched)
  await apiRun(watched)
  await round()
  await round()
  assert.deepEqual([inbox.mails.length, hook.calls.length], [2, 2])
  assert.match(inbox.mails[1]?.text ?? '', /^Subject: \[acme\] job works again\r$/m)
  const over = JSON.parse(hook.calls[1]?.body ?? '') as Body
  assert.deepEqual([over.type, over.incident_id], ['job.recovered', body.incident_id])
  assert.equal(notices.incidents(10)[0]?.closedAt !== null, true)
})

test('a job that fails every other time is reported once an hour', async t => {
  const watched = await startWatched(t, { files: moody })
  const { instance, hook, round, clock } = watched
  for (let time = 0; time < 3; time++) {
    instance.write('broken', '')
    await apiRun(watched)
    await round()
    await mend(watched)
    await apiRun(watched)
    await round()
    clock.at += minute
  }
  const types = () => hook.calls.map(call => (JSON.parse(call.body) as Body).type)
  assert.deepEqual(types(), ['job.failing', 'job.recovered'])
  instance.write('broken', '')
  await apiRun(watched)
  await round()
  assert.equal(types().length, 2)
  // It still fails when the quiet hour is over, and is reported then.
  clock.at += hour
  await round()
  assert.deepEqual(types(), ['job.failing', 'job.recovered', 'job.failing'])
})

test('the chosen number of failures in a row is reported; failed manual runs are not', async t => {
  const watched = await startWatched(t, { files: moody, failuresInARow: 3 })
  const { instance, hook, round } = watched
  for (let time = 0; time < 4; time++) await instance.run('job')
  await apiRun(watched)
  await apiRun(watched)
  await round()
  assert.equal(hook.calls.length, 0)
  await apiRun(watched)
  await round()
  assert.match(
    (JSON.parse(hook.calls[0]?.body ?? '') as Body).text,
    /^Its last 3 runs failed: the coffee is out/,
  )
})

test('slots missed during downtime are reported in one message', async t => {
  const files = {
    'manifest.ts': `${registry}for (const id of ['one', 'two']) {
  jobRegistry.register({ id, cron: '0 * * * *', func: async () => {} })
}`,
  }
  const watched = await startWatched(t, { files, at: Date.UTC(2026, 10, 22, 12, 30) })
  const { instance, clock, hook, round, inbox } = watched
  clock.at = Date.UTC(2026, 10, 22, 18, 30)
  await instance.restart({ clock })
  instance.engine.tick(clock.now())
  const missed = instance.engine.ledger({ outcome: 'missed', limit: 100 })
  assert.ok(missed.length > 0)
  clock.at += 1000
  await round()
  await round()
  assert.deepEqual([inbox.mails.length, hook.calls.length], [1, 1])
  const { type, subject, text } = JSON.parse(hook.calls[0]?.body ?? '') as Body
  assert.equal(type, 'slots.missed')
  assert.equal(subject, `[acme] ${missed.length} missed`)
  assert.match(text, /^one: \d+ times, from 2026-11-22T13:00:00.000Z to /m)
  assert.match(text, /^two: /m)
})

test('an overdue job and a job without further due times are reported', async t => {
  const files = {
    'manifest.ts': `${registry}jobRegistry.register({ id: 'hourly', cron: '0 * * * *', func: async () => {} })`,
  }
  const at = Date.UTC(2026, 10, 22, 12, 59)
  const { instance, notices, clock, hook, round } = await startWatched(t, { files, at })
  const told = () =>
    hook.calls.map(call => {
      const { type, job_id } = JSON.parse(call.body) as Body
      return `${job_id} ${type}`
    })
  // No tick happens.
  clock.at += 3 * minute
  await round()
  assert.deepEqual(told(), ['hourly job.overdue'])
  instance.engine.tick(clock.now())
  await round()
  assert.deepEqual(told(), ['hourly job.overdue', 'hourly job.recovered'])

  // No expression that a manifest may hold comes to its end; an engine that lost count would look like this.
  const jobs = () => instance.engine.jobs().map(job => ({ ...job, nextRunAt: null }))
  await notices.watch({ ...instance.engine, jobs })
  await notices.outbox.flush()
  assert.equal(told().at(-1), 'hourly job.no-next-slot')
  // A disabled job has not recovered; it is only not watched.
  instance.engine.setEnabled('hourly', false)
  await round()
  assert.equal(told().length, 3)
  assert.notEqual(notices.incidents(1)[0]?.closedAt, null)
})

test('a run longer than its interval is reported while it runs', async t => {
  const files = {
    'manifest.ts': `${registry}jobRegistry.register({ id: 'job', cron: '* * * * *', timeout: '30m',
  func: () => new Promise(() => setInterval(() => {}, 1000)) })`,
  }
  const { instance, clock, hook, round } = await startWatched(t, { files })
  clock.at += minute
  instance.engine.tick(clock.now())
  assert.equal(instance.engine.job('job')?.lastRun?.status, 'running')
  await round()
  assert.equal(hook.calls.length, 0)
  clock.at += 3 * minute
  await round()
  const bodies = hook.calls.map(call => JSON.parse(call.body) as Body)
  assert.ok(
    bodies.some(({ type, text }) => type === 'job.too-long' && /has taken 180 seconds.*every 60/.test(text)),
  )
})

test('a failed delivery is retried later, and given up when retries cannot help', async t => {
  const watched = await startWatched(t, { files: moody })
  const { inbox, hook, round, clock, notices } = watched
  hook.status = 503
  inbox.refuse = { code: 451, words: 'come back later' }
  await apiRun(watched)
  await round()
  await round()
  const states = () =>
    notices.outbox.list({ limit: 10, offset: 0 }).messages.map(each => [each.status, each.attempts])
  assert.deepEqual(states(), [
    ['queued', 1],
    ['queued', 1],
  ])
  const errors = notices.outbox.list({ limit: 10, offset: 0 }).messages.map(each => each.error)
  assert.ok(errors.some(error => /answered with 503/.test(error ?? '')))
  assert.ok(errors.some(error => /come back later/.test(error ?? '')))

  clock.at += minute
  hook.status = 200
  inbox.refuse = { code: 550, words: 'no such mailbox' }
  await round()
  assert.deepEqual(states().toSorted(), [
    ['failed', 2],
    ['sent', 2],
  ])
  assert.equal(hook.calls[0]?.headers['longhouse-delivery'], hook.calls[1]?.headers['longhouse-delivery'])

  inbox.refuse = null
  const failed = notices.outbox.list({ limit: 10, offset: 0 }).messages.find(each => each.status === 'failed')
  assert.equal(notices.retry(failed?.id ?? ''), true)
  await round()
  assert.equal(inbox.mails.length, 1)
  assert.equal(notices.retry(failed?.id ?? ''), false, 'what was sent is not sent again')
})

test('a message interrupted by a restart is sent again under the same id', async t => {
  const watched = await startWatched(t, { files: moody })
  const { notices, hook, inbox } = watched
  await apiRun(watched)
  await notices.watch(watched.instance.engine)
  const [first] = await Promise.all([notices.outbox.flush(), notices.outbox.flush()])
  assert.equal(first, undefined)
  assert.deepEqual([inbox.mails.length, hook.calls.length], [1, 1], 'two rounds side by side send it once')
})

test('passwords, webhook addresses and signing secrets are encrypted in the volume', async t => {
  const { instance, notices } = await startWatched(t, { files: { 'manifest.ts': oneJob('async () => {}') } })
  notices.settings.save({
    smtpUrl: 'smtp://me:pass-Wort@mail.example.com:587',
    webhookUrl: 'https://hooks.example.com/services/T000/secretpart',
    heartbeatUrl: 'https://hc-ping.com/uuid-secret',
  })
  const { smtpUrl, webhookSecret } = notices.settings.current()
  assert.equal(smtpUrl, 'smtp://me:pass-Wort@mail.example.com:587')
  const stored = ['longhouse.db', 'longhouse.db-wal']
    .map(name => readFileSync(join(instance.dir, name), 'latin1'))
    .join('')
  assert.ok(stored.includes('owner@example.com'), 'the files that are searched are the right ones')
  for (const secret of ['pass-Wort', 'secretpart', 'uuid-secret', webhookSecret])
    assert.ok(!stored.includes(secret))
})

test('the heartbeat is sent while the instance is healthy, and its response is shown', async t => {
  const { instance, notices, hook } = await startWatched(t, {
    files: { 'manifest.ts': oneJob('async () => {}') },
  })
  await notices.beat(instance.engine)
  assert.equal(notices.heartbeat(), null)
  notices.settings.save({ heartbeatUrl: `${hook.url}/beat` })
  await notices.beat(instance.engine)
  assert.deepEqual(
    [hook.calls[0]?.method, hook.calls[0]?.path, notices.heartbeat()?.error],
    ['GET', '/hook/beat', null],
  )
  hook.status = 404
  await notices.beat(instance.engine)
  assert.equal(notices.heartbeat()?.error, 'it was answered with 404')
  const ill = {
    ...instance.engine,
    checks: new Map([['volume', () => Promise.reject(new Error('the disk is gone'))]]),
  }
  await notices.beat(ill)
  assert.equal(hook.calls.length, 2)
  assert.equal(notices.heartbeat()?.error, 'the disk is gone')
})
