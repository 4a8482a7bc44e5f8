import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRateLimit } from './rate-limit.ts'
import { manualClock } from './testing/clock.ts'

const minute = 60_000

test('the maximum number of failures blocks a key until the oldest leaves the window', () => {
  const clock = manualClock()
  const limit = createRateLimit({ failures: 3, withinMs: 10 * minute, clock })
  for (const _ of [1, 2, 3]) {
    assert.equal(limit.retryAfter('a'), 0)
    limit.fail('a')
    clock.advance(minute)
  }
  assert.equal(limit.retryAfter('a'), 7 * 60)
  assert.equal(limit.retryAfter('b'), 0, 'another key is not concerned')
  clock.advance(7 * minute - 1)
  assert.equal(limit.retryAfter('a'), 1)
  clock.advance(1)
  assert.equal(limit.retryAfter('a'), 0)
  limit.fail('a')
  assert.equal(limit.retryAfter('a'), 60, 'the second of the three still counts')
})

test('a success clears the failures', () => {
  const limit = createRateLimit({ failures: 1, withinMs: minute, clock: manualClock() })
  limit.fail('a')
  assert.equal(limit.retryAfter('a'), 60)
  limit.clear('a')
  assert.equal(limit.retryAfter('a'), 0)
})

test('failures beyond the limit do not block a key for longer than the window', () => {
  const clock = manualClock()
  const limit = createRateLimit({ failures: 2, withinMs: minute, clock })
  for (let i = 0; i < 50; i++) limit.fail('a')
  clock.advance(minute)
  assert.equal(limit.retryAfter('a'), 0)
})

test('memory is bounded: the key whose last failure is oldest is forgotten first', () => {
  const limit = createRateLimit({ failures: 1, withinMs: minute, clock: manualClock(), maxKeys: 3 })
  for (const key of ['a', 'b', 'c', 'a', 'd']) limit.fail(key)
  assert.equal(limit.retryAfter('b'), 0)
  for (const key of ['a', 'c', 'd']) assert.equal(limit.retryAfter(key), 60, key)
})

test('setting the clock neither unblocks a key early nor blocks it for longer', () => {
  const clock = manualClock()
  const limit = createRateLimit({ failures: 1, withinMs: minute, clock })
  limit.fail('a')
  clock.step(120 * minute)
  assert.equal(limit.retryAfter('a'), 60, 'two hours forwards')
  clock.step(-240 * minute)
  assert.equal(limit.retryAfter('a'), 60, 'two hours back')
  clock.advance(minute)
  assert.equal(limit.retryAfter('a'), 0)
})

test('a failure that was none is taken back', () => {
  const limit = createRateLimit({ failures: 2, withinMs: minute, clock: manualClock() })
  for (let i = 0; i < 5; i++) {
    limit.fail('a')
    limit.takeBack('a')
  }
  limit.fail('a')
  assert.equal(limit.retryAfter('a'), 0)
  limit.fail('a')
  assert.equal(limit.retryAfter('a'), 60)
})
