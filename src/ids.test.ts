import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timestamp } from './clock.ts'
import { newId, randomText } from './ids.ts'

test('ids have their prefix, are unique, and sort by age', () => {
  const ids = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 2 ** 49].map(now => newId('run', now))
  for (const id of ids) assert.match(id, /^run_[0-9a-hjkmnp-tv-z]{26}$/)
  assert.deepEqual([...ids].sort(), ids)
  const many = new Set(Array.from({ length: 1000 }, () => newId('run', 5)))
  assert.equal(many.size, 1000)
})

test('random text has no ambiguous letters', () => {
  assert.match(randomText(2000), /^[0-9a-hjkmnp-tv-z]{2000}$/)
})

test('times are formatted as RFC 3339, UTC, with milliseconds', () => {
  assert.equal(timestamp(0), '1970-01-01T00:00:00.000Z')
  assert.equal(timestamp(null), null)
})

test('ids of one kind and millisecond sort in the order in which they were made, and none tells the next', () => {
  const now = 1_756_000_000_000
  const made = Array.from({ length: 1000 }, () => newId('copy', now))
  assert.deepEqual(made.toSorted(), made)
  assert.ok(newId('copy', now + 1) > (made.at(-1) ?? ''))
  assert.equal(new Set(made.map(id => id.slice(0, -1))).size, 1000)
})
