import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { registry, standingClock, startInstance, until } from '../../engine.fixture.ts'

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`)
const job = (id: string, cron: string, options = '') =>
  `jobRegistry.register({ id: '${id}', cron: '${cron}', func: () => 1, ${options} })\n`

test('after the clock is set back by two hours, frequent schedules continue and no decided slot runs twice', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}${job('often', '*/30 * * * *')}${job('hourly', '@hourly')}${job('nine', '0,30 9 * * *')}`,
    },
  })
  const pass = async (halfHours: number) => {
    for (let passed = 0; passed < halfHours; passed++) {
      clock.at += 30 * 60_000
      engine.tick(clock.at)
      for (const { id } of engine.runs({ limit: 9, offset: 0 }).runs) await ended(id)
    }
  }
  const ran = (id: string) =>
    engine
      .slots(id, { limit: 99 })
      .slots.filter(slot => slot.runId)
      .map(slot => new Date(slot.at).toISOString().slice(11, 23))
  await pass(2)
  assert.deepEqual(ran('often'), ['09:00:00.000', '08:30:00.000'])
  clock.step(-2 * 3_600_000)
  engine.tick(clock.at)
  await engine.checks.get('scheduler')?.()
  assert.equal(engine.job('often')?.nextRunAt, at('07:30:00'))

  await pass(4)
  // The clock shows 09:00 for the second time, and three hours have passed: six runs.
  assert.deepEqual(ran('often'), [
    '09:00:00.001',
    '09:00:00.000',
    '08:30:00.001',
    '08:30:00.000',
    '08:00:00.000',
    '07:30:00.000',
  ])
  assert.deepEqual(ran('hourly'), ['09:00:00.000', '08:00:00.000'], 'no second run for 09:00')
  assert.deepEqual(ran('nine'), ['09:00:00.000'])
})

test('after the clock is set forward, the slots in between are late or missed by policy, and the reason names the clock', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}${job('latest', '0 9 * * *')}${job('none', '0 9 * * *', "catchUp: 'none'")}`,
    },
  })
  engine.tick(clock.at)
  clock.step(2 * 3_600_000)
  engine.tick(clock.at)
  const slot = (id: string) => engine.slots(id, { limit: 1 }).slots[0]
  await ended(slot('latest')?.runId ?? '')
  assert.deepEqual([slot('latest')?.outcome, slot('none')?.outcome], ['late', 'missed'])
  const words = 'the clock jumped forward by 120 minutes: it was set, or the machine slept'
  assert.equal(slot('latest')?.reason, `the run started 60 minutes late: ${words}`)
  assert.equal(slot('none')?.reason, words)

  // And back: what ran does not run again, what was missed comes when its time does.
  clock.step(-2 * 3_600_000)
  engine.tick(clock.at)
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  assert.equal(engine.runs({ jobId: 'latest', limit: 9, offset: 0 }).total, 1)
  assert.equal(slot('none')?.outcome, 'ran')
  await ended(slot('none')?.runId ?? '')
})

test('a retry waits its whole delay, however the clock is set, and across a restart', async t => {
  const clock = standingClock(at('08:59:00'))
  const retry = "retry: { attempts: 2, delay: '10m' }"
  const instance = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}jobRegistry.register({ id: 'job', cron: '0 9 * * *', ${retry}, func: () => { throw new Error('no') } })`,
    },
  })
  const attempts = () => instance.engine.runs({ jobId: 'job', limit: 9, offset: 0 }).runs.reverse()
  const pass = (ms: number) => {
    clock.at += ms
    instance.engine.tick(clock.at)
  }
  pass(60_000)
  await until(() => attempts().length === 2, 'the second attempt is planned')
  clock.step(-2 * 3_600_000)
  pass(9 * 60_000)
  assert.equal(attempts()[1]?.status, 'queued')
  clock.step(4 * 3_600_000)
  instance.engine.tick(clock.at)
  assert.equal(attempts()[1]?.status, 'queued', 'two hours forward end no wait')

  clock.step(-4 * 3_600_000)
  await instance.restart()
  instance.engine.tick(clock.at)
  assert.equal(attempts()[1]?.status, 'queued')
  pass(10 * 60_000)
  await instance.ended(attempts()[1]?.id ?? '')
})

test('only a successful tick counts for the health check, which reports why ticks fail', async t => {
  const clock = standingClock(at('08:59:00'))
  const { engine, dir } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('job', '* * * * *') },
  })
  const check = () => engine.checks.get('scheduler')?.()
  const other = new Database(join(dir, 'longhouse.db'))
  t.after(() => other.close())
  other.exec('alter table jobs_slots rename to gone')
  const fails = () => {
    clock.at += 10_000
    assert.throws(() => engine.tick(clock.at), /no such table/)
  }
  clock.at = at('08:59:50')
  engine.tick(clock.at)
  fails()
  await check()
  fails()
  assert.throws(check, {
    message: 'Due times could not be decided for 20 seconds: no such table: jobs_slots',
  })
  fails()
  other.exec('alter table gone rename to jobs_slots')
  engine.tick(clock.at)
  await check()
  assert.equal(engine.slots('job', { limit: 1 }).slots[0]?.outcome, 'late')
})

test('a job whose slots cannot be decided is named, and does not block the others', async t => {
  const clock = standingClock(at('08:59:00'))
  const { engine, dir, ended } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('broken', '* * * * *') + job('sound', '* * * * *') },
  })
  const other = new Database(join(dir, 'longhouse.db'))
  t.after(() => other.close())
  other.exec(
    "create trigger broken before insert on jobs_slots when new.jobId = 'broken' begin select raise(fail, 'no more'); end",
  )
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  await ended(engine.slots('sound', { limit: 1 }).slots[0]?.runId ?? '')
  const check = () => engine.checks.get('scheduler')?.()
  assert.throws(check, { message: 'The due times of the job "broken" cannot be decided: no more' })
  other.exec('drop trigger broken')
  engine.tick(clock.at)
  await check()
  await ended(engine.slots('broken', { limit: 1 }).slots[0]?.runId ?? '')
})
