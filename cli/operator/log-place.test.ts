import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogPlace } from './log-place.ts'

const first = '2026-01-01T12:00:00.001Z out first'
const one = '2026-01-01T12:00:00.002Z out one'
const two = '2026-01-01T12:00:00.002Z err two'
const later = '2026-01-01T12:00:00.003Z out later'

test('a continued log loses no line of the millisecond in which it broke, and repeats none', () => {
  const place = createLogPlace()
  assert.equal(place.reopen(), null)
  for (const line of [first, one]) assert.ok(place.isNew(line))
  assert.equal(place.reopen(), '2026-01-01T12:00:00.002Z')
  assert.deepEqual(
    [one, one, two, later].filter(line => place.isNew(line)),
    [one, two, later],
    'the same line may be written twice',
  )
  assert.equal(place.reopen(), '2026-01-01T12:00:00.003Z')
  assert.deepEqual(
    [later].filter(line => place.isNew(line)),
    [],
  )
  assert.equal(place.reopen(), '2026-01-01T12:00:00.003Z', 'it may break again before anything new')
  assert.ok(!place.isNew(later))
  assert.ok(place.isNew('- out a line without a time'))
})
