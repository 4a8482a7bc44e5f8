import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

test('the most likely intended name is found', () => {
  const names = ['daily-digest', 'daily-backup', 'weekly-report', 'x']
  for (const [typed, meant] of [
    ['daily-digset', 'daily-digest'],
    ['dayli-digest', 'daily-digest'],
    ['daily-bakup', 'daily-backup'],
    ['report', 'weekly-report'],
    ['weekly', 'weekly-report'],
    ['invoice-run', null],
  ] as const) {
    assert.equal(nearest(typed, names), meant, typed)
  }
  assert.equal(nearest('anything', []), null)
})
