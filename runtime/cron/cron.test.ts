import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { nextSlot, previewSlots, scheduleFaults } from './cron.ts'

const berlin = (cron: string) => ({ cron, timezone: 'Europe/Berlin' })
const locals = (cron: string, timezone: string, from: string, count: number) =>
  previewSlots({ cron, timezone }, Date.parse(from), count).map(slot => slot.local)

test('a cron expression has five fields, six fields or a name', () => {
  assert.deepEqual(locals('0 8 * * *', 'Europe/Berlin', '2026-01-05T08:00:00Z', 1), [
    '2026-01-06T08:00:00+01:00',
  ])
  assert.deepEqual(locals('*/20 * * * * *', 'UTC', '2026-01-05T08:00:05Z', 2), [
    '2026-01-05T08:00:20+00:00',
    '2026-01-05T08:00:40+00:00',
  ])
  assert.deepEqual(locals('@Weekly', 'UTC', '2026-01-05T08:00:05Z', 1), ['2026-01-11T00:00:00+00:00'])
  assert.deepEqual(locals('0 9 * * MON-FRI', 'UTC', '2026-01-09T10:00:00Z', 1), ['2026-01-12T09:00:00+00:00'])
})

test('the next slot is strictly later, and fractions of a second are ignored', () => {
  const at = Date.parse('2026-01-05T08:00:00Z')
  const schedule = { cron: '0 8 * * *', timezone: 'UTC' }
  assert.equal(nextSlot(schedule, at - 1)?.at, at)
  assert.equal(nextSlot(schedule, at)?.at, at + 86_400_000)
  assert.equal(nextSlot(schedule, at + 500)?.at, at + 86_400_000)
})

test('a fixed time in the skipped hour has one slot, right after the gap', () => {
  const slots = previewSlots(berlin('0,30 2 * * *'), Date.parse('2026-03-28T12:00:00Z'), 3)
  assert.deepEqual(
    slots.map(slot => slot.local),
    ['2026-03-29T03:00:00+02:00', '2026-03-30T02:00:00+02:00', '2026-03-30T02:30:00+02:00'],
  )
  assert.match(slots[0]?.note ?? '', /^moved: 02:00 is skipped/)
  assert.equal(slots[1]?.note, null)
})

test('a fixed time in the repeated hour has one slot, the first', () => {
  const slots = previewSlots(berlin('30 2 * * *'), Date.parse('2026-10-24T12:00:00Z'), 2)
  assert.deepEqual(
    slots.map(slot => slot.local),
    ['2026-10-25T02:30:00+02:00', '2026-10-26T02:30:00+01:00'],
  )
  assert.match(slots[0]?.note ?? '', /^merged: 02:30 comes twice/)
})

test('a wildcard follows real time through both changes', () => {
  assert.deepEqual(locals('30 * * * *', 'Europe/Berlin', '2026-10-24T23:50:00Z', 3), [
    '2026-10-25T02:30:00+02:00',
    '2026-10-25T02:30:00+01:00',
    '2026-10-25T03:30:00+01:00',
  ])
  assert.deepEqual(locals('30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 2), [
    '2026-03-29T01:30:00+01:00',
    '2026-03-29T03:30:00+02:00',
  ])
})

test('a change of half an hour and a skipped day are handled', () => {
  assert.deepEqual(locals('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T10:00:00Z', 2), [
    '2026-10-04T02:30:00+11:00',
    '2026-10-05T02:15:00+11:00',
  ])
  assert.deepEqual(locals('0 8 * * *', 'Pacific/Apia', '2011-12-29T00:00:00Z', 2), [
    '2011-12-29T08:00:00-10:00',
    '2011-12-31T08:00:00+14:00',
  ])
})

test('a day list with 1 and 30 or 31 keeps the first days of March, and Sunday does not stand for a week', () => {
  assert.deepEqual(locals('0 0 1,30 * *', 'UTC', '2025-02-27T00:00:00Z', 2), [
    '2025-03-01T00:00:00+00:00',
    '2025-03-30T00:00:00+00:00',
  ])
  assert.deepEqual(locals('0 0 1,2,31 * *', 'UTC', '2028-02-20T00:00:00Z', 2), [
    '2028-03-01T00:00:00+00:00',
    '2028-03-02T00:00:00+00:00',
  ])
  for (const sunday of ['SUN-SUN', '0-SUN', '0', '7', 'SUN']) {
    assert.deepEqual(locals(`0 0 * * ${sunday}`, 'UTC', '2026-01-05T00:00:00Z', 1), [
      '2026-01-11T00:00:00+00:00',
    ])
  }
  assert.deepEqual(locals('0 0 * * FRI-SUN', 'UTC', '2026-01-11T00:00:00Z', 1), ['2026-01-16T00:00:00+00:00'])
})

test('an expression that never matches has no slot', () => {
  assert.equal(nextSlot({ cron: '0 0 30 2 *', timezone: 'Europe/Berlin' }, Date.now()), null)
  assert.equal(nextSlot({ cron: '0 0 30 2 *', timezone: 'UTC' }, Date.now()), null)
  assert.deepEqual(locals('0 0 29 2 *', 'Europe/Berlin', '2096-03-01T00:00:00Z', 1), [
    '2104-02-29T00:00:00+01:00',
  ])
})

test('slots only move forward, fall on whole seconds, and are the same from any instant before them', () => {
  const crons = ['*/7 * * * *', '30 2 * * *', '0 0 1 * *', '15 1,2,3 * * 0', '0 30 2 * * *', '@hourly']
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'UTC']
  const start = Date.parse('2026-01-01T00:00:00Z')
  void check(
    property(
      constantFrom(...crons),
      constantFrom(...zones),
      integer({ min: 0, max: 3 * 365 * 86_400 }),
      array(integer({ min: 1, max: 1000 }), { maxLength: 3 }),
      (cron, timezone, second, shares) => {
        const from = start + second * 1000
        let last = from
        for (const { at } of previewSlots({ cron, timezone }, from, 5)) {
          assert.ok(at > last)
          assert.equal(at % 1000, 0)
          for (const share of shares) {
            const between = last + Math.floor(((at - 1 - last) * share) / 1000)
            assert.equal(nextSlot({ cron, timezone }, between)?.at, at)
          }
          last = at
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('an invalid expression gets a readable error', () => {
  const faults = (cron: string, timezone = 'UTC') =>
    scheduleFaults({ cron, timezone }).map(fault => `${fault.field} ${fault.message}`)
  assert.deepEqual(faults('0 8 * * *'), [])
  assert.match(faults('* * * *')[0] ?? '', /^cron "\* \* \* \*" has 4 fields; a cron expression has five/)
  assert.match(faults('')[0] ?? '', /has 0 fields/)
  assert.match(faults('0 25 * * *')[0] ?? '', /Invalid value for hour: 25/)
  assert.match(faults('0 0 30 2 *')[0] ?? '', /^cron "0 0 30 2 \*" has no due time: there is no such date/)
  assert.deepEqual(faults('0 0 29 2 *'), [])
  assert.match(faults('@reboot')[0] ?? '', /use one of @hourly/)
  assert.match(faults('2026-01-01T00:00:00Z')[0] ?? '', /has 1 field;/)
  assert.match(faults('0 8 * * *', 'Berlin')[0] ?? '', /^timezone "Berlin" is not a time zone/)
  assert.match(faults('0 8 * * *', '+02:00')[0] ?? '', /not a time zone/)
  assert.equal(faults('x', 'y').length, 2)
})
