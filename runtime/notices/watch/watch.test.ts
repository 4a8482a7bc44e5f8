import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Run } from '../../jobs/contract.ts'
import { failureStreak } from './watch.ts'

/** Newest first: status, due time, attempt, and which run by API it is, as they have no due time. */
const history = (
  ...runs: [status: Run['status'], slot: number | null, attempt: number, of?: string][]
): Run[] =>
  runs.map(([status, slot, attempt, of = '']) => ({
    id: `run_${slot}_${attempt}${of ? `_${of}` : ''}`,
    jobId: 'job',
    status,
    trigger: slot === null ? 'api' : 'schedule',
    slot,
    attempt,
    commit: null,
    params: {},
    queuedAt: 0,
    notBefore: null,
    replayOf: null,
    attemptOf: attempt > 1 ? `run_${slot}_1${of ? `_${of}` : ''}` : null,
    startedAt: 0,
    finishedAt: 0,
    durationMs: 0,
    result: null,
    error: null,
  }))

const streak = (...runs: Parameters<typeof history>) => failureStreak(history(...runs)).map(run => run.id)

test('only the last attempt counts, and none while another is planned', () => {
  assert.deepEqual(streak(['queued', 60, 2], ['failed', 60, 1], ['succeeded', 0, 1]), [])
  assert.deepEqual(streak(['failed', 60, 2], ['failed', 60, 1], ['succeeded', 0, 1]), ['run_60_2'])
  assert.deepEqual(streak(['succeeded', 60, 2], ['failed', 60, 1], ['failed', 0, 1]), [])
  assert.deepEqual(streak(['failed', 60, 3], ['failed', 60, 2], ['failed', 60, 1], ['failed', 0, 1]), [
    'run_60_3',
    'run_0_1',
  ])
  assert.deepEqual(
    streak(['running', null, 2, 'b'], ['failed', null, 1, 'b'], ['succeeded', null, 1, 'a']),
    [],
  )
  assert.deepEqual(streak(['failed', null, 2, 'b'], ['failed', null, 1, 'b'], ['failed', null, 1, 'a']), [
    'run_null_2_b',
    'run_null_1_a',
  ])
  // Two at the same time: the second attempt at one says nothing of the other.
  assert.deepEqual(streak(['failed', null, 2, 'a'], ['succeeded', null, 1, 'b'], ['failed', null, 1, 'a']), [
    'run_null_2_a',
  ])
})

test('a running or cancelled run neither adds to a streak nor ends it', () => {
  assert.deepEqual(
    streak(['running', 120, 1], ['failed', 60, 1], ['cancelled', 30, 1], ['timed_out', 0, 1]),
    ['run_60_1', 'run_0_1'],
  )
})
