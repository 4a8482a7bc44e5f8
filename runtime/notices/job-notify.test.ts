import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, startInstance, until } from '../engine.fixture.ts'
import { startHook, startWatched } from './notices.fixture.ts'

const minute = 60_000
const fails = "() => { throw new Error('the coffee is out') }"
const job = (id: string, notify: string, more = '') =>
  `jobRegistry.register({ id: '${id}', cron: '* * * * *', func: ${fails}, notify: ${notify}, ${more} })\n`

interface Body {
  type: string
  job_id: string
  text: string
}

test('each job chooses its notices and their recipients', async t => {
  const own = await startHook(t)
  const files = {
    'manifest.ts': `${registry}${job('ordinary', 'undefined')}${job('silent', 'false')}${job('patient', '{ failures: 3 }')}
${job('elsewhere', `{ emails: ['ops@example.com', 'dev@example.com'], webhook: '${own.url}' }`)}${job('nomail', '{ emails: [] }')}`,
  }
  const at = Date.UTC(2026, 10, 22, 12)
  const { instance, clock, hook, inbox, notices, round } = await startWatched(t, { files, at })
  const told = (calls: { body: string }[]) =>
    calls.map(({ body }) => `${(JSON.parse(body) as Body).job_id} ${(JSON.parse(body) as Body).type}`).sort()
  const nextMinute = async () => {
    clock.at += minute
    instance.engine.tick(clock.now())
    await until(
      () =>
        instance.engine.runs({ limit: 100, offset: 0 }).runs.every(run => run.finishedAt) &&
        instance.engine.jobs().every(({ lastRun }) => lastRun?.slot === clock.at),
      'all have run',
    )
    await round()
  }
  await nextMinute()
  assert.deepEqual(told(hook.calls), ['nomail job.failing', 'ordinary job.failing'])
  assert.deepEqual(told(own.calls), ['elsewhere job.failing'])
  assert.match(own.calls[0]?.headers['longhouse-signature'] as string, /^t=\d+,v1=[0-9a-f]{64}$/)
  assert.deepEqual(inbox.mails.map(mail => mail.to).sort(), [
    ['ops@example.com', 'dev@example.com'],
    ['owner@example.com'],
  ])
  await nextMinute()
  assert.equal(hook.calls.length, 2)
  await nextMinute()
  assert.deepEqual(told(hook.calls).slice(2), ['patient job.failing'])
  assert.match((JSON.parse(hook.calls[2]?.body ?? '') as Body).text, /^Its last 3 runs failed/)

  // A job whose notices were turned off has not recovered.
  instance.write(
    'manifest.ts',
    `${registry}${job('ordinary', 'false')}${job('elsewhere', `{ webhook: '${own.url}' }`)}`,
  )
  await until(() => instance.engine.jobs().length === 2, 'the new set is live')
  await round()
  assert.equal(hook.calls.length, 3)
  assert.ok(notices.incidents(10).some(each => each.jobId === 'ordinary' && each.closedAt !== null))
})

test('a streak counts due times, however many attempts each had', async t => {
  const files = {
    'manifest.ts': registry + job('retried', '{ failures: 12 }', "retry: { attempts: 3, delay: '1s' }"),
  }
  const { instance, clock, hook, round } = await startWatched(t, { files })
  const { engine } = instance
  for (let slot = 1; slot <= 12; slot++) {
    await round()
    assert.equal(hook.calls.length, 0)
    clock.at += minute - 10_000
    for (let attempt = 1; attempt <= 3; attempt++) {
      clock.at += attempt === 1 ? 10_000 : 3000
      if (attempt === 1) clock.at -= clock.at % minute
      engine.tick(clock.now())
      await until(() => {
        const { lastRun } = engine.job('retried') ?? {}
        return lastRun?.attempt === (attempt === 3 ? 3 : attempt + 1) && (attempt < 3 || lastRun.finishedAt)
      }, `attempt ${attempt} has ended`)
    }
  }
  await round()
  assert.equal(hook.calls.length, 1)
})

test('a run that exceeds the job’s limit is reported while it runs', async t => {
  const register = (id: string, notify: string) =>
    `jobRegistry.register({ id: '${id}', cron: '0 13 * * *', timeout: '1h', func: () => new Promise(() => setInterval(() => {}, 1000)), notify: ${notify} })\n`
  const files = {
    'manifest.ts':
      registry + register('limited', "{ longRun: '10m' }") + register('free', '{ longRun: false }'),
  }
  const { instance, clock, hook, round } = await startWatched(t, {
    files,
    at: Date.UTC(2026, 10, 22, 12, 59),
  })
  clock.at = Date.UTC(2026, 10, 22, 13)
  instance.engine.tick(clock.now())
  await until(() => instance.engine.jobs().every(({ lastRun }) => lastRun?.status === 'running'), 'both run')
  clock.at += 9 * minute
  await round()
  assert.equal(hook.calls.length, 0)
  clock.at += 2 * minute
  await round()
  const bodies = hook.calls.map(({ body }) => JSON.parse(body) as Body)
  assert.deepEqual(
    bodies.map(({ job_id, type }) => [job_id, type]),
    [['limited', 'job.too-long']],
  )
  assert.match(
    bodies[0]?.text ?? '',
    /^Its last run has taken 660 seconds, and 600 are the most that it should\./,
  )
})

test('missed slots are reported to each job’s recipients; overdue slots only if the job wants it', async t => {
  const own = await startHook(t)
  const hourly = (id: string, notify: string) =>
    `jobRegistry.register({ id: '${id}', cron: '0 * * * *', func: () => {}, notify: ${notify} })\n`
  const files = {
    'manifest.ts': `${registry}${hourly('one', 'undefined')}${hourly('two', '{ missed: false, overdue: false }')}${hourly('three', `{ webhook: '${own.url}' }`)}`,
  }
  const watched = await startWatched(t, { files, at: Date.UTC(2026, 10, 22, 12, 30) })
  const { instance, clock, hook, round } = watched
  clock.at = Date.UTC(2026, 10, 22, 18, 30)
  await instance.restart({ clock })
  instance.engine.tick(clock.now())
  clock.at += 1000
  await round()
  await round()
  const texts = (calls: { body: string }[]) => calls.map(({ body }) => (JSON.parse(body) as Body).text)
  assert.deepEqual([hook.calls.length, own.calls.length], [1, 1])
  assert.match(texts(hook.calls)[0] ?? '', /^one: /m)
  assert.ok(!/^(two|three): /m.test(texts(hook.calls)[0] ?? ''))
  assert.match(texts(own.calls)[0] ?? '', /^three: /m)

  clock.at = Date.UTC(2026, 10, 22, 19, 3)
  await round()
  const overdue = [...hook.calls, ...own.calls].map(({ body }) => JSON.parse(body) as Body)
  assert.deepEqual(
    overdue.filter(({ type }) => type === 'job.overdue').map(({ job_id }) => job_id),
    ['one', 'three'],
  )
})

test('an invalid notify is reported with file and line', async t => {
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': registry } })
  for (const [notify, words] of [
    ['true', 'notify must be false, or an object such as { failures: 3 }'],
    ['{ failures: 0 }', 'notify failures must be a whole number from 1 to 20; or false'],
    ['{ failures: true }', 'notify failures must be a whole number from 1 to 20; or false'],
    [
      "{ longRun: '1x' }",
      'notify longRun must be a duration from 1s to 24h, such as 30s, 10m or 2h; or false',
    ],
    ["{ overdue: 'no' }", 'notify overdue must be true or false'],
    ["{ emails: 'you@example.com' }", "notify emails must be a list such as ['you@example.com']"],
    ["{ emails: ['you'] }", 'notify emails 0 must be an address such as you@example.com'],
    ["{ webhook: 'example.com' }", 'notify webhook must be an address such as https://example.com/longhouse'],
    [
      '{ failure: 3 }',
      'notify has no field called failure; did you mean failures? Known are failures, longRun, overdue, missed, emails, webhook',
    ],
  ] as const) {
    write('manifest.ts', registry + job('wrong', notify))
    const error = await until(
      () => engine.manifest().errors.find(({ message }) => message === `job "wrong": ${words}`),
      `it is told: ${words}`,
    )
    assert.deepEqual([error.file, error.line], ['manifest.ts', 2])
  }
})
