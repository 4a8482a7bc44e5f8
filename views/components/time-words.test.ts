import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dateTime, durationWords, relativeTime, shortDateTime } from './time-words.ts'

const now = Date.UTC(2026, 10, 22, 12, 0, 0)
const minute = 60_000

test('distances are written in the unit that fits', () => {
  assert.equal(relativeTime(now - 500, now), 'just now')
  assert.equal(relativeTime(now + 500, now), 'in a moment')
  assert.equal(relativeTime(now - 40_000, now), '40 s ago')
  assert.equal(relativeTime(now + 5 * minute, now), 'in 5 min')
  assert.equal(relativeTime(now - 120 * minute, now), '2 h ago')
  assert.equal(relativeTime(now + 3 * 24 * 60 * minute, now), 'in 3 days')
})

test('durations have two units at most', () => {
  assert.deepEqual([0, 840, 3210, 9960, 59_700, 250_000, 3_600_000, 7_500_000].map(durationWords), [
    '0 ms',
    '840 ms',
    '3.2 s',
    '10 s',
    '1 min',
    '4 min 10 s',
    '1 h',
    '2 h 5 min',
  ])
})

test('a wall-clock time names its zone, and as much of the date as needed', () => {
  assert.equal(dateTime(now, 'Europe/Berlin'), 'Sun 22 Nov 2026, 13:00:00 CET')
  assert.equal(dateTime(now, 'America/New_York'), 'Sun 22 Nov 2026, 07:00:00 EST')
  assert.equal(shortDateTime(now + minute, now), '12:01')
  assert.equal(shortDateTime(now + 24 * 60 * minute, now), 'Mon 12:00')
  assert.equal(shortDateTime(now + 30 * 24 * 60 * minute, now), '22 Dec 12:00')
})
