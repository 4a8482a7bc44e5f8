import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ManualClock, manualClock } from '../testing/clock.ts'
import { type Guesses, guessLimit } from './guesses.ts'

const second = 1000
const right = async () => true
const wrong = async () => false
const stranger = (address: string) => ({ address, browser: null })
/** Each in a network of its own. */
const elsewhere = (i: number) => stranger(`${20 + (i >> 8)}.${i & 255}.0.1`)

test('a right password does not count as a guess, however many scripts sign in with it', async () => {
  const { judge } = guessLimit(manualClock())
  for (let i = 0; i < 150; i++) assert.equal(await judge(elsewhere(i), right), null, `${i}`)
  for (let i = 0; i < 150; i++) assert.equal(await judge(stranger('203.0.113.7'), right), null, `${i}`)
  // Nor do they keep wrong ones from being counted.
  for (let i = 0; i < 100; i++) assert.equal(await judge(elsewhere(i), wrong), 0, `${i}`)
  assert.equal(await judge(elsewhere(200), wrong), 0)
  assert.equal(await judge(elsewhere(201), wrong), 1)
})

/** How many of a flood's guesses were compared, and when the new browser was let in, both in seconds. */
async function under(
  flood: { of: number; address: (i: number) => string; seconds: number },
  { judge }: Guesses,
  clock: ManualClock,
) {
  let compared = 0
  const count = async () => {
    compared++
    return false
  }
  for (let at = 0; at < flood.seconds; at++) {
    for (let i = 0; i < flood.of; i++) await judge(stranger(flood.address(i)), count)
    clock.advance(second)
  }
  return compared
}

test('a flood of guesses from many addresses is slowed down, and delays a new browser by a second at most', async () => {
  const floods = {
    'one address': () => '203.0.113.7',
    'a network': (i: number) => `203.0.${i >> 8}.${i & 255}`,
    'an IPv6 network': (i: number) => `2001:db8:${i.toString(16)}::1`,
    'fifty networks': (i: number) => `${20 + (i % 50)}.7.${i >> 8}.${i & 255}`,
  }
  for (const [name, address] of Object.entries(floods)) {
    const clock = manualClock()
    const guesses = guessLimit(clock)
    const seconds = 60
    const compared = await under({ of: 200, address, seconds }, guesses, clock)
    assert.ok(compared <= 100 + 150 + seconds / 2, `${name}: ${compared} compared`)
    // The flood is quicker every time, and the new browser comes at the end of the second.
    const flooding = async () => {
      for (let i = 0; i < 200; i++) await guesses.judge(stranger(address(i)), wrong)
    }
    const fresh = stranger('198.51.100.9')
    await flooding()
    const wait = await guesses.judge(fresh, wrong)
    assert.ok(wait === 0, `${name}: ${wait} seconds for a new browser that mistypes`)
    clock.advance(second)
    await flooding()
    assert.equal(await guesses.judge(fresh, right), null, name)
  }
})

test('a flood of guesses from ever new networks is limited to five per second', async () => {
  const clock = manualClock()
  const guesses = guessLimit(clock)
  let compared = 0
  const steps = 20_000
  for (let i = 0; i < steps; i++) {
    await guesses.judge(elsewhere(i), async () => {
      compared++
      return false
    })
    clock.advance(10)
  }
  assert.ok(compared <= 100 + (steps / 100) * 5.5, `${compared} compared`)
  assert.ok(compared > 500, 'and each has its turn')
})

test('a known browser waits only after its own wrong passwords', async () => {
  const clock = manualClock()
  const { judge } = guessLimit(clock)
  const known = { address: '203.0.113.7', browser: 'ada' }
  for (let i = 0; i < 200; i++) await judge(stranger('203.0.113.7'), wrong)
  for (let i = 0; i < 10; i++) assert.equal(await judge(known, wrong), 0)
  assert.equal(await judge(known, wrong), 2, 'compared, and told to wait')
  assert.equal(await judge(known, right), 2, 'one every two seconds')
  assert.equal(await judge({ ...known, browser: 'grace' }, right), null)
  clock.advance(2 * second)
  assert.equal(await judge(known, right), null)
})

test('a network gets thirty free tries, then one every two seconds for all its addresses', async () => {
  const clock = manualClock()
  const { judge } = guessLimit(clock)
  const inside = (i: number) => stranger(`203.0.${i}.7`)
  for (let i = 0; i < 30; i++) assert.equal(await judge(inside(i), wrong), 0)
  assert.equal(await judge(inside(30), wrong), 2)
  assert.equal(await judge(inside(31), right), 2)
  assert.equal(await judge(stranger('198.51.100.9'), right), null, 'another network')
  clock.advance(2 * second)
  assert.equal(await judge(inside(31), right), null)
})
