import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startOf } from './next-slots.ts'

test('slots are decided from the last decided one, or from the start of the schedule', () => {
  assert.equal(startOf(100, undefined, 900), 100, 'none was decided')
  assert.equal(startOf(100, { before: 400 }, 900), 400)
  assert.equal(startOf(500, { before: 400 }, 900), 500, 'the schedule is newer')
  assert.equal(startOf(100, { before: 400, after: 2000 }, 900), 400, 'the clock was once ahead')
  assert.equal(startOf(100, { after: 2000 }, 900), 900, 'what lies behind was decided with what lies ahead')
})

test('the start is never ahead of the clock, and never before the schedule unless that is ahead', () => {
  const instant = fc.integer({ min: 0, max: 1e6 })
  fc.assert(
    fc.property(instant, instant, fc.option(instant), fc.option(instant), (since, now, before, after) => {
      const decided = {
        ...(before !== null && before <= now ? { before } : {}),
        ...(after !== null && after > now ? { after } : {}),
      }
      const start = startOf(since, decided, now)
      assert.ok(start <= now && start >= Math.min(since, now))
    }),
  )
})
