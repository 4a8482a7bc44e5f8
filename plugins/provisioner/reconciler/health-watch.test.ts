import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../src/testing/clock.ts'
import type { HealthObservation } from '../contract.ts'
import { HealthWatch } from './health-watch.ts'

const healthy: HealthObservation = { healthy: true, at: 5 }
const failing: HealthObservation = { healthy: false, at: 5, answers: true, reason: 'its disk is full' }
const silent: HealthObservation = {
  healthy: false,
  at: 5,
  answers: false,
  reason: 'it refused the connection',
}
const never = new AbortController().signal

test('failures and silences in a row are counted, each instance by itself', () => {
  const watch = new HealthWatch(manualClock())
  assert.deepEqual(watch.record('a', silent), { failures: 1, silences: 1 })
  assert.deepEqual(watch.record('a', silent), { failures: 2, silences: 2 })
  assert.deepEqual(watch.record('a', failing), { failures: 3, silences: 0 })
  assert.deepEqual(watch.record('b', silent), { failures: 1, silences: 1 })
  assert.deepEqual(watch.record('a', healthy), { failures: 0, silences: 0 })
  assert.deepEqual(watch.record('a', silent), { failures: 1, silences: 1 })
})

test('when an instance was last healthy is known until it is forgotten', () => {
  const watch = new HealthWatch(manualClock())
  assert.equal(watch.lastHealthyAt('a'), null)
  watch.record('a', healthy)
  watch.record('a', silent)
  assert.equal(watch.lastHealthyAt('a'), 5)
  watch.forget('a')
  assert.equal(watch.lastHealthyAt('a'), null)
  assert.deepEqual(watch.record('a', silent), { failures: 1, silences: 1 })
})

test('a wait ends as soon as the instance is healthy', async () => {
  const watch = new HealthWatch(manualClock())
  const waiting = watch.wait('a', 60_000, never)
  watch.record('b', healthy)
  watch.record('a', silent)
  watch.record('a', healthy)
  assert.equal((await waiting).healthy, true)
})

test('when the time is up, the last reason is given, and whether the instance answers', async () => {
  const clock = manualClock()
  const watch = new HealthWatch(clock)
  const after = async (...seen: HealthObservation[]) => {
    const waiting = watch.wait('a', 60_000, never)
    for (const each of seen) watch.record('a', each)
    clock.advance(60_000)
    const { healthy, ...rest } = await waiting
    assert.equal(healthy, false)
    const { answers, reason } = rest as { answers: boolean; reason: string }
    return [answers, reason]
  }
  assert.deepEqual(await after(), [false, 'it was never reached'])
  assert.deepEqual(await after(silent), [false, silent.reason])
  assert.deepEqual(await after(silent, failing), [true, failing.reason])
  // One look may be lost on the way; three are not.
  assert.deepEqual(await after(failing, silent, silent), [true, silent.reason])
  assert.deepEqual(await after(failing, silent, silent, silent), [false, silent.reason])
})

test('a wait counts from its own beginning, and ends when the operation does', async () => {
  const watch = new HealthWatch(manualClock())
  watch.record('a', silent)
  watch.record('a', silent)
  const stopping = new AbortController()
  const waiting = watch.wait('a', 60_000, stopping.signal)
  assert.deepEqual(watch.record('a', silent), { failures: 1, silences: 1 })
  stopping.abort()
  assert.equal((await waiting).healthy, false)
})
