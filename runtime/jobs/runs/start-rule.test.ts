import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  inStartOrder,
  nextToStart,
  obstacleTo,
  type QueuedRun,
  type QueueFacts,
  waitReason,
} from './start-rule.ts'

const now = Date.parse('2026-03-10T08:00:00Z')

const runOf = (
  jobId: string,
  given: { key?: string; startsAt?: number; serial?: boolean } = {},
): QueuedRun => ({
  row: {
    jobId,
    policy: { retry: null, onInterrupt: 'fail', concurrencyKey: given.key ?? null },
  },
  startsAt: given.startsAt ?? 0,
  serial: given.serial ?? true,
})

const queueOf = ({
  busy = {},
  ...given
}: Partial<QueueFacts> & { busy?: Record<string, string> } = {}): QueueFacts => ({
  monotonic: 1000,
  stopping: false,
  running: 0,
  concurrent: 2,
  keysInUse: new Set(),
  runInProgress: jobId => busy[jobId] ?? null,
  ...given,
})

test('each obstacle to a start is reported in the order of the checks, with a readable reason', () => {
  const busy = { a: 'run_1' }
  const keysInUse = new Set(['db'])
  const run = runOf('a', { key: 'db', startsAt: 2000 })
  const dueRun = { ...run, startsAt: 1000 }
  const cases: [QueuedRun, QueueFacts, string, RegExp][] = [
    [run, queueOf({ busy, keysInUse, running: 2, stopping: true }), 'stopping', /instance is stopping/],
    [run, queueOf({ busy, keysInUse, running: 2 }), 'not-due', /due at 2026-03-10T08:00:01\.000Z/],
    [dueRun, queueOf({ busy, keysInUse, running: 2 }), 'same-job', /run_1 of the same job/],
    [dueRun, queueOf({ keysInUse, running: 2 }), 'same-key', /key "db"/],
    [dueRun, queueOf({ running: 2 }), 'no-room', /^2 runs are in progress, the maximum/],
  ]
  for (const [queued, queue, obstacle, words] of cases) {
    assert.equal(obstacleTo(queued, queue), obstacle)
    assert.match(waitReason(queued, queue, now), words)
  }
  assert.equal(obstacleTo(dueRun, queueOf({ running: 1 })), null)
})

test('a manual run starts beside another run of its job, but not beside one with its key', () => {
  const byHand = runOf('a', { serial: false })
  assert.equal(obstacleTo(byHand, queueOf({ busy: { a: 'run_1' } })), null)
  const keyed = runOf('a', { serial: false, key: 'db' })
  assert.equal(obstacleTo(keyed, queueOf({ keysInUse: new Set(['db']) })), 'same-key')
})

const queuedRuns = fc.array(
  fc
    .record({
      jobId: fc.constantFrom('a', 'b', 'c'),
      key: fc.constantFrom('', 'db'),
      startsAt: fc.constantFrom(0, 1000, 1001, 5000),
      serial: fc.boolean(),
    })
    .map(({ jobId, ...given }) => runOf(jobId, given)),
)
const queues = fc
  .record({
    running: fc.integer({ min: 0, max: 3 }),
    busy: fc.constantFrom<Record<string, string>>({}, { a: 'run_1' }, { a: 'run_1', b: 'run_2' }),
    keysInUse: fc.constantFrom(new Set<string>(), new Set(['db'])),
    stopping: fc.boolean(),
  })
  .map(queueOf)

test('the next run to start is the first one without an obstacle', () => {
  fc.assert(
    fc.property(queuedRuns, queues, (queued, queue) => {
      const position = nextToStart(queued, queue)
      const before = position < 0 ? queued : queued.slice(0, position)
      assert.ok(before.every(run => obstacleTo(run, queue) !== null))
      if (position >= 0) assert.equal(obstacleTo(queued[position] as QueuedRun, queue), null)
    }),
  )
})

test('due runs start in the order of their requests, and attempts by their due time', () => {
  fc.assert(
    fc.property(queuedRuns, queued => {
      const inOrder = inStartOrder(queued, 1000)
      const due = queued.filter(run => run.startsAt <= 1000)
      assert.deepEqual(inOrder.slice(0, due.length), due)
      const later = inOrder.slice(due.length).map(run => run.startsAt)
      assert.deepEqual(
        later,
        later.toSorted((a, b) => a - b),
      )
      assert.equal(inOrder.length, queued.length)
    }),
  )
})
