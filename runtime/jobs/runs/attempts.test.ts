import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, standingClock, startInstance, until } from '../../engine.fixture.ts'
import { nextAttemptAt, type RunPolicy } from '../follow-up.ts'

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`)
const job = (id: string, options: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@hourly', ${options}, func: ${func} })\n`
const fails =
  "({ run }) => { if (run.attempt < 3) throw new Error('try ' + run.attempt); return run.attempt }"
const retry = "retry: { attempts: 3, delay: '1m' }"
const going = '({ log }) => { log("goes"); return new Promise(() => setInterval(() => {}, 1e6)) }'

test('a failed run is retried with growing delays, and with the code of its slot', async t => {
  const clock = standingClock(at('08:00:00'))
  const instance = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('flaky', retry, fails) },
  })
  const { engine, ended, write } = instance
  const runs = () => engine.runs({ jobId: 'flaky', limit: 9, offset: 0 }).runs
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  const first = await ended(runs()[0]?.id ?? '')
  assert.deepEqual([first.status, first.error?.message, first.attempt], ['failed', 'try 1', 1])
  const second = runs()[0]
  assert.deepEqual(
    [second?.status, second?.attempt, second?.notBefore, second?.slot],
    ['queued', 2, at('09:01:00'), at('09:00:00')],
  )
  const slot = () => instance.engine.slots('flaky', { limit: 1 }).slots[0]
  assert.deepEqual(
    [slot()?.runId, slot()?.runStatus],
    [first.id, 'queued'],
    'the slot knows of the attempt that waits',
  )
  engine.tick(at('09:00:59'))
  assert.equal(runs()[0]?.status, 'queued')

  write('manifest.ts', registry + job('flaky', retry, "() => 'newer code'"))
  await engine.reload()
  assert.notEqual(engine.manifest().commit, first.commit)
  clock.at = at('09:01:00')
  engine.tick(clock.at)
  await ended(second?.id ?? '')
  const third = runs()[0]
  assert.deepEqual([third?.attempt, third?.notBefore], [3, at('09:03:00')], 'twice as long')

  await instance.restart()
  assert.equal(instance.engine.getRun(third?.id ?? '')?.status, 'queued', 'it outlives a restart')
  clock.at = at('09:03:00')
  instance.engine.tick(clock.at)
  const last = await ended(third?.id ?? '')
  assert.deepEqual([last.status, last.result, last.commit], ['succeeded', 3, first.commit])
  assert.equal(instance.engine.runs({ jobId: 'flaky', limit: 9, offset: 0 }).total, 3)
  assert.deepEqual([slot()?.runId, slot()?.runStatus], [first.id, 'succeeded'], 'and of the last one')
})

test('a waiting attempt does not delay slots, and can be cancelled', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: {
      'manifest.ts':
        registry +
        job('job', "retry: { attempts: 2, delay: '2h', maxDelay: '2h' }", "() => { throw new Error('no') }"),
    },
  })
  const newest = () => engine.runs({ jobId: 'job', limit: 1, offset: 0 }).runs[0]
  clock.at = at('09:00:00')
  engine.tick(clock.at)
  await ended(newest()?.id ?? '')
  const waiting = newest()
  assert.equal(waiting?.notBefore, at('11:00:00'))
  clock.at = at('10:00:00')
  engine.tick(clock.at)
  const [slot] = engine.slots('job', { limit: 1 }).slots
  assert.deepEqual([slot?.at, slot?.outcome], [at('10:00:00'), 'ran'])
  assert.equal((await engine.cancel(waiting?.id ?? ''))?.status, 'cancelled')
  await ended(slot?.runId ?? '')
  assert.equal((await engine.cancel(newest()?.id ?? ''))?.status, 'cancelled')
  assert.equal(engine.runs({ status: 'queued', limit: 1, offset: 0 }).total, 0)
})

test('a run interrupted with its instance runs again if its job asks for it', async t => {
  const clock = standingClock(at('08:00:00'))
  const instance = await startInstance(t, {
    clock,
    files: {
      'manifest.ts':
        registry + job('again', "onInterrupt: 'rerun'", going) + job('once', "overlap: 'skip'", going),
    },
  })
  clock.at = at('09:00:00')
  instance.engine.tick(clock.at)
  const newest = (id: string) => instance.engine.runs({ jobId: id, limit: 1, offset: 0 }).runs[0]
  const first = newest('again')
  for (const id of ['again', 'once']) await until(() => instance.engine.log(newest(id)?.id ?? ''), 'it goes')
  await instance.restart()
  assert.equal(instance.engine.getRun(first?.id ?? '')?.status, 'interrupted')
  const second = newest('again')
  assert.deepEqual([second?.attempt, second?.slot, second?.commit], [2, first?.slot, first?.commit])
  await until(() => instance.engine.log(second?.id ?? ''), 'it goes again')
  const [slot] = instance.engine.slots('again', { limit: 1 }).slots
  assert.deepEqual([slot?.outcome, slot?.runId], ['late', second?.id])
  assert.equal(newest('once')?.status, 'interrupted')
  assert.equal(instance.engine.slots('once', { limit: 1 }).slots[0]?.outcome, 'interrupted')
  assert.equal((await instance.engine.cancel(second?.id ?? ''))?.status, 'cancelled')
})

test('jobs with the same concurrency key run one at a time, also when started manually', async t => {
  const { engine } = await startInstance(t, {
    files: {
      'manifest.ts':
        registry +
        job('one', "concurrencyKey: 'db'", going) +
        job('two', "concurrencyKey: 'db'", going) +
        job('other', "concurrencyKey: 'mail'", going),
    },
  })
  const [one, two, again, other] = ['one', 'two', 'one', 'other'].map(
    id => engine.run(id, { trigger: 'manual' }).id,
  )
  const statuses = () => [one, two, again, other].map(id => engine.getRun(id ?? '')?.status)
  assert.deepEqual(statuses(), ['running', 'queued', 'queued', 'running'])
  await engine.cancel(one ?? '')
  await until(() => statuses()[1] === 'running', 'the next attempt starts')
  assert.deepEqual(statuses(), ['cancelled', 'running', 'queued', 'running'])
})

test('delays grow up to their limit, and jitter stays within its bounds', () => {
  const policy = (more: Partial<NonNullable<RunPolicy['retry']>>): RunPolicy => ({
    retry: { attempts: 9, delay: 1000, factor: 3, maxDelay: 5000, jitter: 0, ...more },
    onInterrupt: 'fail',
    concurrencyKey: null,
  })
  const delays = [1, 2, 3, 8, 9].map(attempt => nextAttemptAt({ attempt, policy: policy({}) }, 'failed', 0))
  assert.deepEqual(delays, [1000, 3000, 5000, 5000, null])
  const run = { attempt: 1, policy: policy({ jitter: 0.5 }) }
  assert.deepEqual(
    [0, 0.5, 1].map(chance => nextAttemptAt(run, 'timed_out', 0, () => chance)),
    [500, 1000, 1500],
  )
  for (const status of ['succeeded', 'cancelled', 'interrupted'] as const) {
    assert.equal(nextAttemptAt(run, status, 0), null)
  }
  assert.equal(nextAttemptAt({ attempt: 1, policy: null }, 'failed', 0), null)
})
