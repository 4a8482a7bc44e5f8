import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextSlot } from '../../cron/cron.ts'
import { dueSlots, missedLimit } from './due-slots.ts'

const crons = [
  '* * * * *',
  '*/7 * * * *',
  '0 8 * * *',
  '30 2 * * 0',
  '0 0 1 * *',
  '*/20 * * * * *',
  '0 0 29 2 *',
]
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
const start = Date.parse('2026-01-01T00:00:00Z')

/** A schedule, its first slot that is due, and a time at or after that. */
const situation = fc
  .record({
    cron: fc.constantFrom(...crons),
    timezone: fc.constantFrom(...zones),
    from: fc.integer({ min: 0, max: 365 * 86_400 }),
    waitSeconds: fc.oneof(fc.integer({ min: 0, max: 7200 }), fc.integer({ min: 0, max: 400 * 86_400 })),
  })
  .map(({ cron, timezone, from, waitSeconds }) => {
    const schedule = { cron, timezone }
    const first = nextSlot(schedule, start + from * 1000)?.at ?? 0
    return { schedule, first, now: first + waitSeconds * 1000 }
  })

test('due slots are consecutive slots of the schedule, with the first and the last included', () => {
  fc.assert(
    fc.property(situation, ({ schedule, first, now }) => {
      const { due, gap, next } = dueSlots(schedule, first, now)
      assert.equal(due[0], first)
      assert.ok((due.at(-1) ?? 0) <= now)
      assert.equal(nextSlot(schedule, due.at(-1) ?? 0)?.at, next, 'none is left out at the end')
      assert.ok(next === null || next > now)
      for (const [index, at] of due.entries()) {
        const follower = due[index + 1]
        if (follower === undefined) continue
        const after = at === gap?.from ? gap.to : at
        assert.equal(nextSlot(schedule, after)?.at, follower, 'only the gap leaves some out')
      }
    }),
    { numRuns: 60 },
  )
})

test('a gap follows only after the maximum number of listed slots', () => {
  fc.assert(
    fc.property(situation, ({ schedule, first, now }) => {
      const { due, gap } = dueSlots(schedule, first, now)
      if (gap) assert.equal(due.indexOf(gap.from), missedLimit - 1)
      else assert.ok(due.length <= 5000)
    }),
    { numRuns: 60 },
  )
  const year = dueSlots({ cron: '* * * * *', timezone: 'UTC' }, start, start + 365 * 86_400_000)
  assert.ok(year.gap !== null && year.due.length < 2 * missedLimit, `${year.due.length} slots`)
})
