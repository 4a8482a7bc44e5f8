import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limited } from './limited.ts'

test('so many go at once, so many wait, and the rest is refused', async () => {
  const place = limited(2, 3, () => new Error('full'))
  const gates: (() => void)[] = []
  let most = 0
  let going = 0
  const work = async () => {
    most = Math.max(most, ++going)
    await new Promise<void>(done => gates.push(done))
    going--
  }
  const all = Array.from({ length: 6 }, () => place(work).then(() => 'done', String))
  assert.equal(await all[5], 'Error: full')
  for (let opened = 0; opened < 5; opened++) {
    gates[opened]?.()
    await all[opened]
  }
  assert.deepEqual([await Promise.all(all.slice(0, 5)), most], [Array(5).fill('done'), 2])
  const failed = await place(async () => Promise.reject(new Error('own'))).catch(String)
  assert.equal(failed, 'Error: own')
})
