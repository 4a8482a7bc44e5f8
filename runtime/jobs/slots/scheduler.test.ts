import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { countSql } from '../../../src/testing/counted-sql.ts'
import { registry, standingClock, startInstance, until } from '../../engine.fixture.ts'

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`)
const quick = '() => {}'
const job = (id: string, cron: string, func = quick) =>
  `jobRegistry.register({ id: '${id}', cron: '${cron}', func: ${func} })\n`

test('a tick decides each due slot once, on the grid, at whatever time it comes', async t => {
  const clock = standingClock(at('07:59:30.500'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('eight', '0 8 * * *') + job('minutely', '* * * * *') },
  })
  assert.equal(engine.job('eight')?.nextRunAt, at('08:00:00'))
  engine.tick(at('07:59:59'))
  assert.equal(engine.runs({ limit: 9, offset: 0 }).total, 0)

  clock.at = at('08:00:00.007')
  engine.tick(clock.at)
  engine.tick(clock.at)
  const [slot] = engine.slots('eight', { limit: 9 }).slots
  assert.equal(slot?.at, at('08:00:00'))
  assert.deepEqual([slot?.outcome, slot?.reason], ['ran', null])
  const run = await ended(slot?.runId ?? '')
  assert.deepEqual([run.status, run.trigger, run.slot], ['succeeded', 'schedule', at('08:00:00')])
  assert.equal(engine.runs({ limit: 9, offset: 0 }).total, 2)
  assert.equal(engine.job('eight')?.nextRunAt, at('08:00:00') + 86_400_000)
  assert.equal(engine.job('eight')?.lastRun?.id, run.id)
  assert.equal(engine.job('minutely')?.nextRunAt, at('08:01:00'))
})

test('a slot during the previous run is skipped, and names that run', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts':
        registry + job('slow', '* * * * *', '() => new Promise(() => setInterval(() => {}, 1e6))'),
    },
  })
  engine.tick(at('08:01:00'))
  const [first] = engine.runs({ limit: 1, offset: 0 }).runs
  engine.tick(at('08:02:00'))
  const [slot] = engine.slots('slow', { limit: 1 }).slots
  assert.deepEqual(slot, {
    at: at('08:02:00'),
    outcome: 'skipped',
    reason: `the run ${first?.id} before it had not ended`,
    runId: null,
    runStatus: null,
  })
  await engine.cancel(first?.id ?? '')
  engine.tick(at('08:03:00'))
  const [next] = engine.slots('slow', { limit: 1 }).slots
  assert.deepEqual([next?.at, next?.outcome], [at('08:03:00'), 'ran'])
  await engine.cancel(next?.runId ?? '')
  await ended(next?.runId ?? '')
})

test('a slot during the previous run waits for it or replaces it, by the job’s policy', async t => {
  const clock = standingClock(at('08:00:00'))
  const waits =
    "async ({ run }) => { while (run.slot.getUTCMinutes() === 1 && !existsSync('data/go')) await new Promise(d => setTimeout(d, 20)) }"
  const { engine, ended, write } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}import { existsSync } from 'node:fs'
jobRegistry.register({ id: 'queue', cron: '* * * * *', overlap: 'queue', func: ${waits.replace('run.slot', 'run.slot!')} })
jobRegistry.register({ id: 'replace', cron: '* * * * *', overlap: 'replace', func: ${waits.replace('run.slot', 'run.slot!')} })`,
      '.gitignore': 'data/\n',
    },
  })
  const newest = (id: string) => engine.slots(id, { limit: 1 }).slots[0]
  for (const time of ['08:01:00', '08:02:00', '08:03:00']) {
    clock.at = at(time)
    engine.tick(clock.at)
    assert.deepEqual([newest('queue')?.outcome, newest('replace')?.outcome], ['ran', 'ran'])
  }
  const of = (id: string) => engine.runs({ jobId: id, limit: 9, offset: 0 }).runs.reverse()
  assert.deepEqual(
    of('queue').map(run => run.status),
    ['running', 'queued', 'queued'],
  )
  const [first] = of('replace')
  const replaced = await ended(first?.id ?? '')
  assert.equal(replaced.status, 'cancelled')
  assert.match(replaced.error?.message ?? '', /replaced by the run run_/)
  assert.equal((await ended(newest('replace')?.runId ?? '')).status, 'succeeded')
  write('data/go', '')
  for (const { id } of of('queue')) assert.equal((await ended(id)).status, 'succeeded')
})

test('a clock set back starts no slot twice, and after an error of a year the schedule continues', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('hourly', '@hourly') },
  })
  const outcomes = () => engine.slots('hourly', { limit: 999 }).slots.filter(slot => slot.runId)
  for (const time of ['09:00:00', '10:00:00', '08:30:00', '09:00:00', '10:00:00', '11:00:00']) {
    clock.at = at(time)
    engine.tick(clock.at)
    for (const { runId } of outcomes()) await ended(runId ?? '')
  }
  assert.deepEqual(
    outcomes().map(slot => slot.at),
    [at('11:00:00'), at('10:00:00'), at('09:00:00')],
  )
  clock.at = Date.parse('2027-03-10T08:00:00Z')
  engine.tick(clock.at)
  for (const { runId } of outcomes()) await ended(runId ?? '')
  clock.at = at('11:30:00')
  engine.tick(clock.at)
  assert.equal(engine.job('hourly')?.nextRunAt, at('12:00:00'))
  clock.at = at('12:00:00')
  engine.tick(clock.at)
  assert.ok(outcomes().some(slot => slot.at === at('12:00:00')))
  for (const { runId } of outcomes()) await ended(runId ?? '')
})

test('a disabled job has no slots, even after a restart; after it is enabled, slots count from then', async t => {
  const clock = standingClock(at('08:00:00'))
  const instance = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('a', '@hourly') + job('b', '@hourly') },
  })
  assert.equal(instance.engine.setEnabled('a', false).enabled, false)
  await instance.restart()
  const { engine, ended } = instance
  assert.deepEqual(
    engine.jobs().map(each => [each.id, each.enabled, each.nextRunAt]),
    [
      ['a', false, null],
      ['b', true, at('09:00:00')],
    ],
  )
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  assert.equal(engine.slots('a', { limit: 9 }).total, 0)
  const [slot] = engine.slots('b', { limit: 9 }).slots
  assert.equal(slot?.outcome, 'ran')
  await ended(slot?.runId ?? '')

  clock.at = at('09:30:00')
  assert.equal(engine.setEnabled('a', true).nextRunAt, at('10:00:00'))
  assert.throws(() => engine.setEnabled('none', true), { code: 'unknown-job' })
  engine.tick(clock.at)
  assert.equal(engine.slots('a', { limit: 9 }).total, 0)
})

test('slots of a changed schedule count from the change; an unchanged schedule keeps its next slot', async t => {
  const clock = standingClock(at('08:00:00'))
  const instance = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('changes', '0 9 * * *') + job('stays', '0 9 * * *') },
  })
  const { engine, write, ended } = instance
  clock.at = at('09:30:00')
  write('manifest.ts', registry + job('changes', '15 9 * * *') + job('stays', '0 9 * * *'))
  await engine.reload()
  engine.tick(clock.at)
  assert.equal(engine.slots('changes', { limit: 9 }).total, 0)
  const [stayed] = engine.slots('stays', { limit: 9 }).slots
  assert.deepEqual([stayed?.at, stayed?.outcome], [at('09:00:00'), 'late'])
  await ended(stayed?.runId ?? '')
  assert.equal(engine.job('changes')?.nextRunAt, at('09:15:00') + 86_400_000)
  clock.at = at('09:15:00') + 86_400_000
  engine.tick(clock.at)
  await ended(engine.slots('changes', { limit: 1 }).slots[0]?.runId ?? '')
})

test('a job whose slot cannot be decided does not block the others, and gets its slot once it can', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended, dir } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('bad', '0 9 * * *') + job('good', '0 9 * * *') },
  })
  const other = new Database(join(dir, 'longhouse.db'))
  other.exec(
    "create trigger refused before insert on jobs_runs when new.jobId = 'bad' begin select raise(abort, 'no'); end",
  )
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  await ended(engine.slots('good', { limit: 1 }).slots[0]?.runId ?? '')
  assert.equal(engine.slots('bad', { limit: 1 }).total, 0)
  other.exec('drop trigger refused')
  other.close()
  engine.tick(at('09:00:01'))
  const [slot] = engine.slots('bad', { limit: 1 }).slots
  assert.deepEqual([slot?.at, slot?.outcome], [at('09:00:00'), 'ran'])
  await ended(slot?.runId ?? '')
})

test('slots due together all get a run, however many are queued; manual runs are limited', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine } = await startInstance(t, {
    clock,
    runs: { concurrent: 0, waiting: 5 },
    files: {
      'manifest.ts': `${registry}for (let i = 0; i < 60; i++) jobRegistry.register({ id: 'job-' + i, cron: '0 9 * * *', func: () => {} })`,
    },
  })
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  assert.equal(engine.runs({ status: 'queued', limit: 1, offset: 0 }).total, 60)
  assert.throws(() => engine.run('job-1', { trigger: 'manual' }), { code: 'too-many-runs' })
  clock.at += 86_400_000
  engine.tick(clock.at)
  assert.equal(engine.slots('job-59', { limit: 1 }).slots[0]?.outcome, 'skipped')
})

test('with ten thousand jobs an idle tick asks nothing of the database, and all of them can be due at once', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}for (let i = 0; i < 10_000; i++) jobRegistry.register({ id: 'job-' + i, cron: \`\${i % 60} 9 * * *\`, catchUp: 'none', func: () => {} })`,
    },
    runs: { concurrent: 0, waiting: 5000 },
  })
  assert.equal(engine.jobs().length, 10_000)
  let idle = performance.now()
  const asked = await countSql(t).during(async () => {
    for (let i = 0; i < 1000; i++) engine.tick(at('08:00:00') + i)
  })
  idle = performance.now() - idle
  assert.deepEqual(asked, { statements: 0, rows: 0, commits: 0 })
  let busy = performance.now()
  clock.at = at('10:00:00')
  engine.tick(clock.at)
  busy = performance.now() - busy
  t.diagnostic(
    `an idle tick took ${(idle * 1).toFixed(1)} µs; one with 10,000 due jobs ${busy.toFixed(0)} ms`,
  )
  assert.equal(engine.slots('job-17', { limit: 9 }).slots[0]?.outcome, 'missed')
  assert.equal(engine.job('job-17')?.nextRunAt, at('09:17:00') + 86_400_000)
})

test('a thousand jobs due in the same second are all in the ledger, each with its slot and its run', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts': `${registry}for (let i = 0; i < 1000; i++) jobRegistry.register({ id: 'job-' + i, cron: '30 0 9 * * *', func: () => {} })`,
    },
    runs: { concurrent: 0 },
  })
  clock.at = at('09:00:30') + 3
  engine.tick(clock.at)
  const found = engine.ledger({ from: at('09:00:30'), to: at('09:00:30') + 1, limit: 2000 })
  assert.equal(new Set(found.map(slot => slot.jobId)).size, 1000)
  for (const { jobId, at: slot, outcome, runId } of found) {
    assert.deepEqual([slot, outcome], [at('09:00:30'), 'ran'])
    const run = engine.getRun(runId ?? '')
    assert.deepEqual([run?.jobId, run?.slot, run?.status], [jobId, at('09:00:30'), 'queued'])
  }
})

test('the schedule runs a job every second by itself, each run in its own process', async t => {
  const { engine } = await startInstance(t, {
    heartbeat: true,
    files: { 'manifest.ts': registry + job('secondly', '* * * * * *', '() => process.pid') },
  })
  const runs = await until(() => {
    const done = engine.runs({ jobId: 'secondly', status: 'succeeded', limit: 9, offset: 0 }).runs
    return done.length >= 3 ? done : null
  }, 'three runs succeeded')
  const { slots } = engine.slots('secondly', { limit: 99 })
  for (const [index, slot] of slots.entries()) {
    assert.equal(slot.at % 1000, 0)
    if (index > 0) assert.equal(slot.at, (slots[index - 1]?.at ?? 0) - 1000, 'no second is left out')
  }
  assert.equal(new Set(runs.map(run => run.result)).size, runs.length)
  await engine.checks.get('scheduler')?.()
})
