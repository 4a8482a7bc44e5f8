import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPushes, type PushOptions } from './pushes.ts'

test('a push that stops arriving makes room for the next one, and one of each token waits', async () => {
  const limits = { arrivalMs: 600_000, idleMs: 20, checkMs: 1000, patienceMs: 1000, packBytes: 1000 }
  const pushes = openPushes({ limits } as PushOptions)
  const { signal: gone } = new AbortController()
  const by = (token: string) => ({ gone, token, mayStill: async () => {} })
  const body = (text: string, end: Promise<void>) =>
    (async function* () {
      yield Buffer.from(text)
      await end
    })()
  const stuck = pushes.receive(body('00', new Promise(() => {})), by('one'))
  const next = pushes.receive(body('0000', Promise.resolve()), by('one'))
  const third = pushes.receive(body('0000', Promise.resolve()), by('one'))
  const other = pushes.receive(body('0000', Promise.resolve()), by('other'))
  await assert.rejects(third, /Others are pushing/)
  await assert.rejects(stuck, /The push stopped arriving/)
  assert.deepEqual(await Promise.all([next, other]), [null, null])
})
