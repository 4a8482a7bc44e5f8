import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listedPauseMs, pauseMs } from './backoff.ts'

test('each delay is twice the previous one, up to the longest', () => {
  const backoff = { firstMs: 30_000, mostMs: 600_000 }
  assert.deepEqual(
    [0, 1, 2, 3, 5, 6, 2000].map(failures => pauseMs(failures, backoff)),
    [0, 30_000, 60_000, 120_000, 480_000, 600_000, 600_000],
  )
})

test('a delay is never shorter than the previous one, longer than the longest, or not a number', () => {
  fc.assert(
    fc.property(
      fc.record({
        firstMs: fc.integer({ min: 0, max: 1000 }),
        mostMs: fc.integer({ min: 1000, max: 100_000 }),
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
      }),
      fc.integer({ min: 1, max: 5000 }),
      (backoff, failures) => {
        const [before, after] = [pauseMs(failures, backoff), pauseMs(failures + 1, backoff)]
        assert.ok(before <= after && after <= backoff.mostMs, `${before} then ${after}`)
        assert.equal(pauseMs(1, backoff), backoff.firstMs)
      },
    ),
  )
})

test('a list of delays ends', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map(failures => listedPauseMs(failures, [5, 50])),
    [0, 5, 50, null],
  )
})
