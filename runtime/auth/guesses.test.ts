import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { guessLimit } from './guesses.ts'

test('right passwords are no guesses, however many scripts sign in with them', async () => {
  const { judge } = guessLimit(manualClock())
  const stranger = (key: string | number) => ({ key: String(key), knownBrowser: false })
  for (let i = 0; i < 150; i++) assert.equal(await judge(stranger(i), async () => true), null, `${i}`)
  // Nor do they keep wrong ones from being counted.
  for (let i = 0; i < 100; i++) assert.equal(await judge(stranger(i), async () => false), 0, `${i}`)
  assert.ok(((await judge(stranger('new'), async () => false)) ?? 0) > 0)
})
