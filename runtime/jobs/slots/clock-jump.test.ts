import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lateMs } from '../follow-up.ts'
import { clockJump } from './clock-jump.ts'

const wall = Date.parse('2026-03-10T08:00:00Z')
const before = { wall, monotonic: 5000 }
const reading = (passedMs: number, setByMs = 0) => ({
  wall: wall + passedMs + setByMs,
  monotonic: 5000 + passedMs,
})

test('passing time is not a jump, however long it is', () => {
  fc.assert(
    fc.property(fc.nat(), passedMs => {
      assert.deepEqual(clockJump(before, reading(passedMs)), { forwardMs: 0, back: false })
    }),
  )
  assert.deepEqual(clockJump(null, before), { forwardMs: 0, back: false })
})

test('a clock set forward is a jump by that much, unless no slot becomes late', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(1e9), (passedMs, setByMs) => {
      const forwardMs = setByMs > lateMs ? setByMs : 0
      assert.deepEqual(clockJump(before, reading(passedMs, setByMs)), { forwardMs, back: false })
    }),
  )
})

test('a clock set back by more than a second is detected', () => {
  assert.equal(clockJump(before, reading(1000, -2000)).back, false)
  assert.equal(clockJump(before, reading(1000, -2001)).back, true)
  assert.equal(
    clockJump(before, reading(60_000, -30_000)).back,
    false,
    'it is still ahead of the last reading',
  )
})
