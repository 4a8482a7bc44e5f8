import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from './daily-digest.ts'

test('the digest names the day and counts the days left in the year', () => {
  const lines = digest(new Date('2026-12-30T12:00:00Z'))
  assert.match(lines[0] ?? '', /December 30, 2026/)
  assert.match(lines[1] ?? '', /^2 days left in 2026/)
})
