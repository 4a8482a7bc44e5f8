import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, standingClock, startInstance } from '../../engine.fixture.ts'

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`)
const job = (id: string, cron: string) =>
  `jobRegistry.register({ id: '${id}', cron: '${cron}', func: () => {} })\n`

test('after a gap the newest slot runs late; the others are missed', async t => {
  const clock = standingClock(at('08:00:00'))
  const instance = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('quarterly', '*/15 * * * *') + job('daily', '0 9 * * *') },
  })
  clock.at = at('09:02:00')
  await instance.restart()
  instance.engine.tick(clock.at)
  const { slots } = instance.engine.slots('quarterly', { limit: 9 })
  assert.deepEqual(
    slots.map(slot => [new Date(slot.at).toISOString().slice(11, 16), slot.outcome]),
    [
      ['09:00', 'late'],
      ['08:45', 'missed'],
      ['08:30', 'missed'],
      ['08:15', 'missed'],
    ],
  )
  assert.equal(slots[0]?.reason, 'the run started 120 seconds late')
  assert.equal(slots[1]?.reason, 'the instance was not running')
  for (const { id } of instance.engine.runs({ limit: 9, offset: 0 }).runs) await instance.ended(id)

  assert.equal(instance.engine.slots('daily', { limit: 9 }).slots[0]?.outcome, 'late')
  assert.equal(instance.engine.job('quarterly')?.nextRunAt, at('09:15:00'))
})

test('after a gap a job catches up on nothing, the latest slot within its window, or all slots in order', async t => {
  const clock = standingClock(at('08:00:00'))
  const policy = (id: string, options: string) =>
    `jobRegistry.register({ id: '${id}', cron: '@hourly', func: ({ run }) => run.slot, ${options} })\n`
  const instance = await startInstance(t, {
    clock,
    files: {
      'manifest.ts':
        registry +
        policy('none', "catchUp: 'none'") +
        policy('latest', "catchUpWindow: '2h'") +
        policy('stale', "catchUpWindow: '10m'") +
        policy('all', "catchUp: 'all', catchUpWindow: '3h'"),
    },
  })
  clock.at = at('12:30:00')
  await instance.restart()
  const { engine, ended } = instance
  engine.tick(clock.at)
  const outcomes = (id: string) =>
    engine.slots(id, { limit: 9 }).slots.map(slot => `${new Date(slot.at).getUTCHours()} ${slot.outcome}`)
  const missed = ['11 missed', '10 missed', '9 missed']
  assert.deepEqual(outcomes('none'), ['12 missed', ...missed])
  assert.deepEqual(outcomes('latest'), ['12 late', ...missed])
  assert.deepEqual(outcomes('stale'), ['12 missed', ...missed])
  assert.deepEqual(outcomes('all'), ['12 late', '11 late', '10 late', '9 missed'])
  assert.equal(engine.slots('latest', { limit: 1 }).slots[0]?.reason, 'the run started 30 minutes late')
  const { runs } = engine.runs({ jobId: 'all', limit: 9, offset: 0 })
  const done = await Promise.all(runs.reverse().map(run => ended(run.id)))
  assert.deepEqual(
    done.map(run => [run.status, run.result]),
    [10, 11, 12].map(hour => ['succeeded', new Date(at(`${hour}:00:00`)).toISOString()]),
  )
  for (const [index, run] of done.entries()) {
    if (index > 0)
      assert.ok((run.startedAt ?? 0) >= (done[index - 1]?.finishedAt ?? 0), 'one after the other')
  }
  for (const { id } of engine.runs({ limit: 9, offset: 0 }).runs) await ended(id)
})

test('the newest slot of a frequent job is found after an absence of any length', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('mornings', '*/5 8-9 * * *') },
  })
  clock.at = at('12:00:00') + 30 * 86_400_000
  engine.tick(clock.at)
  const [slot] = engine.slots('mornings', { limit: 1 }).slots
  assert.deepEqual([slot?.at, slot?.outcome], [at('09:55:00') + 30 * 86_400_000, 'late'])
  assert.equal(slot?.reason, 'the run started 125 minutes late')
  await ended(slot?.runId ?? '')
})

test('a long gap of a frequent job is listed in part, and the ledger says so', async t => {
  const clock = standingClock(at('08:00:00'))
  const { engine, ended } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('secondly', '* * * * * *') },
  })
  clock.at = at('20:00:00')
  engine.tick(clock.at)
  const { slots, total } = engine.slots('secondly', { limit: 1000 })
  assert.deepEqual([slots[0]?.at, slots[0]?.outcome], [at('20:00:00'), 'ran'])
  assert.equal(total, 100 + 300)
  const unlisted = slots.find(slot => slot.at === at('08:01:40'))
  assert.match(unlisted?.reason ?? '', /until at least 2026-03-10T19:55:00.000Z; .* not listed/)
  await ended(slots[0]?.runId ?? '')
})

test('a restart within seconds of a slot drops no slot of a job that catches up on all', async t => {
  const clock = standingClock(at('08:00:00'))
  const policy = (id: string, options: string) =>
    `jobRegistry.register({ id: '${id}', cron: '@hourly', catchUp: 'all', func: ({ run }) => run.slot, ${options} })\n`
  const ids = ['skip', 'queue', 'replace']
  const instance = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + ids.map(id => policy(id, `overlap: '${id}'`)).join('') },
  })
  clock.at = at('11:00:02')
  await instance.restart({ runs: { concurrent: 0 } })
  const outcomes = (id: string) =>
    instance.engine
      .slots(id, { limit: 9 })
      .slots.map(slot => `${new Date(slot.at).getUTCHours()} ${slot.outcome} ${slot.runStatus}`)
  instance.engine.tick(clock.at)
  for (const id of ids)
    assert.deepEqual(outcomes(id), ['11 ran queued', '10 late queued', '9 late queued'], id)
  clock.at = at('12:00:00')
  instance.engine.tick(clock.at)
  // Those that are caught up still wait: the one that is on time comes after them, and ends none of them.
  for (const id of ids)
    assert.deepEqual(outcomes(id), ['12 ran queued', '11 ran queued', '10 late queued', '9 late queued'], id)

  await instance.restart({ runs: {} })
  for (const id of ids) {
    const { runs } = instance.engine.runs({ jobId: id, limit: 9, offset: 0 })
    const done = await Promise.all(runs.reverse().map(run => instance.ended(run.id)))
    assert.deepEqual(
      done.map(run => run.result),
      [9, 10, 11, 12].map(hour => new Date(at('00:00:00') + hour * 3_600_000).toISOString()),
      id,
    )
  }
})
