import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from './median.ts'

test('the median is the middle value, or the mean of the middle two', () => {
  assert.equal(median([7]), 7)
  assert.equal(median([100, 2]), 51)
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([4, 1, 100, 2]), 3)
})
