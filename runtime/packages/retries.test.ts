import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { openRetries } from './retries.ts'

const minute = 60_000

test('temporary failures are retried with growing delays, at most an hour', () => {
  const clock = manualClock()
  const retries = openRetries(clock)
  const waits: number[] = []
  for (let tries = 0; tries < 8; tries++) {
    retries.failed('key', { passing: true })
    const wait = retries.waitMs() ?? 0
    waits.push(wait / minute)
    clock.step(-120 * minute)
    clock.advance(wait - 1)
    assert.deepEqual([retries.due(), retries.blocks('key')], [false, true])
    clock.advance(1)
    assert.deepEqual([retries.due(), retries.blocks('key')], [true, false])
    assert.equal(retries.due(), false, 'once')
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
  retries.failed('another', { passing: true })
  assert.equal(retries.waitMs(), minute, 'other files begin anew')
  assert.equal(retries.blocks('key'), false)
})

test('a failure the customer has to fix waits for a change or a manual retry', () => {
  const clock = manualClock()
  const retries = openRetries(clock)
  retries.failed('key', { passing: false })
  clock.advance(24 * 60 * minute)
  assert.deepEqual([retries.waitMs(), retries.due(), retries.blocks('key')], [null, false, true])
  retries.forget()
  assert.equal(retries.blocks('key'), false)
})
