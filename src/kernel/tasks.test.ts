import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import { silentLog } from '../log.ts'
import { manualClock } from '../testing/clock.ts'
import { eventually } from '../testing/eventually.ts'
import { type RunningTask, startTask, startTasks, type Task } from './tasks.ts'

test('a task runs at once, and again after a pause that starts at the end of each round', async () => {
  const clock = manualClock()
  let rounds = 0
  const running = startTask(
    { name: 'count', everyMs: 1000, run: async () => void rounds++ },
    { clock, log: silentLog },
  )
  assert.equal(rounds, 1)
  for (const expected of [2, 3]) {
    await setImmediate()
    clock.advance(999)
    await setImmediate()
    assert.equal(rounds, expected - 1)
    clock.advance(1)
    await setImmediate()
    assert.equal(rounds, expected)
  }
  await running.stop()
  clock.advance(5000)
  await setImmediate()
  assert.equal(rounds, 3)
})

test('a round that throws is logged, and the next one runs as usual', async () => {
  const lines: string[] = []
  const log = pino({}, { write: line => void lines.push(line) })
  const clock = manualClock()
  let rounds = 0
  const fails = [
    () => Promise.reject(new Error('first')),
    () => {
      throw new Error('second')
    },
  ]
  const run = () => fails[rounds++]?.() ?? Promise.resolve()
  const running = startTask({ name: 'brittle', everyMs: 1000, run }, { clock, log })
  for (const expected of [2, 3]) {
    await setImmediate()
    clock.advance(1000)
    await setImmediate()
    assert.equal(rounds, expected)
  }
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /first/)
  assert.match(lines[1] ?? '', /second/)
  for (const line of lines) assert.equal(JSON.parse(line).task, 'brittle')
  await running.stop()
})

test('a task whose last three rounds failed reports its last error until a round succeeds', async () => {
  const clock = manualClock()
  let fault: string | null = 'first'
  const run = async () => {
    if (fault !== null) throw new Error(fault)
  }
  const running = startTask({ name: 'brittle', everyMs: 1000, run }, { clock, log: silentLog })
  const round = async () => {
    clock.advance(1000)
    await setImmediate()
  }
  await setImmediate()
  assert.equal(running.fault(), null)
  await round()
  assert.equal(running.fault(), null)
  fault = 'no such table: letters'
  await round()
  assert.equal(running.fault(), 'the last 3 rounds failed, most recently with: no such table: letters')
  fault = null
  await round()
  assert.equal(running.fault(), null)
  fault = 'again'
  await round()
  await round()
  assert.equal(running.fault(), null)
  await running.stop()
})

test('a nudge starts the next round now; nudges during a round start one more', async () => {
  const clock = manualClock()
  let rounds = 0
  let finish = () => {}
  const run = () =>
    new Promise<void>(resolve => {
      rounds++
      finish = resolve
    })
  const running = startTask({ name: 'slow', everyMs: 1_000_000, run }, { clock, log: silentLog })
  running.nudge()
  running.nudge()
  running.nudge()
  await setImmediate()
  assert.equal(rounds, 1, 'never two rounds at once')
  finish()
  await setImmediate()
  assert.equal(rounds, 2)
  finish()
  await setImmediate()
  assert.equal(rounds, 2, 'three nudges made one more round')
  running.nudge()
  await setImmediate()
  assert.equal(rounds, 3)
  const stopped = running.stop()
  finish()
  await stopped
})

test('many changes within one round of the event loop share one round of the task', async () => {
  let rounds = 0
  const run = async () => void rounds++
  const running = startTask(
    { name: 'publish', everyMs: 1_000_000, run },
    { clock: manualClock(), log: silentLog },
  )
  await setImmediate()
  assert.equal(rounds, 1)
  for (let i = 0; i < 100; i++) running.nudge()
  for (let i = 0; i < 100; i++) queueMicrotask(running.nudge)
  for (let i = 0; i < 100; i++) process.nextTick(running.nudge)
  await setImmediate()
  await setImmediate()
  assert.equal(rounds, 2)
  await running.stop()
})

test('stop aborts the signal and waits for the round in progress', async () => {
  let ended = false
  const run = (signal: AbortSignal) =>
    new Promise<void>(resolve => {
      signal.addEventListener('abort', () => {
        void setImmediate().then(() => {
          ended = true
          resolve()
        })
      })
    })
  const running = startTask({ name: 'long', everyMs: 1, run }, { clock: manualClock(), log: silentLog })
  await running.stop()
  assert.equal(ended, true)
  await running.stop()
})

test('each task begins in a round of the event loop of its own, and none after the stop', async () => {
  let round = 0
  const began: { name: string; round: number }[] = []
  const tasks = ['first', 'second', 'third'].map((name): [string, Task] => {
    const run = async () => void began.push({ name, round })
    return [name, { name, everyMs: 1000, run }]
  })
  const parts = { clock: manualClock(), log: silentLog }
  const running = new Map<string, RunningTask>()
  const stop = startTasks(new Map(tasks), { ...parts, running })
  assert.deepEqual([...running.keys()], ['first'])
  while (began.length < tasks.length) {
    round++
    await setImmediate()
  }
  const names = tasks.map(([name]) => name)
  assert.deepEqual(
    began.map(({ name }) => name),
    names,
  )
  assert.equal(new Set(began.map(({ round }) => round)).size, 3)
  assert.deepEqual([...running.keys()], names)
  await stop()
  const stopped = new Map<string, RunningTask>()
  await startTasks(new Map(tasks), { ...parts, running: stopped })()
  for (let more = 0; more < 5; more++) await setImmediate()
  assert.deepEqual([...stopped.keys()], ['first'])
})

test('a first round that kept the event loop is followed by a pause as long', async () => {
  const keptMs = 50
  let keptUntil = 0
  let nextAt = 0
  const keeps = async () => {
    keptUntil = performance.now() + keptMs
    while (performance.now() < keptUntil);
  }
  const follows = async () => {
    nextAt = performance.now()
  }
  const tasks = new Map<string, Task>([
    ['long', { name: 'long', everyMs: 1000, run: keeps }],
    ['next', { name: 'next', everyMs: 1000, run: follows }],
  ])
  const stop = startTasks(tasks, { clock: manualClock(), log: silentLog, running: new Map() })
  await eventually('the next one begins', () => nextAt > 0)
  // Timers count whole milliseconds. It may be later, however busy the machine is, and never sooner.
  assert.ok(nextAt - keptUntil >= keptMs - 2, `${nextAt - keptUntil} ms`)
  await stop()
})
