import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answering, answerPush } from './push-answer.ts'
import { openPushes, type PushOptions, type Taken } from './pushes.ts'

test('a push that was taken is answered to its end when the repo cannot be read after it', async () => {
  const state = { status: 'ok', commit: 'abc', errors: [], difference: null, waitingFor: null }
  const before = state as unknown as Taken['before']
  const taken = { branch: 'main', commit: 'abc', commits: 1, changes: [], before, loaded: Promise.resolve() }
  const command = { ref: 'refs/heads/main', from: 'aaa', to: 'abc' }
  const push = {
    capabilities: new Set(['side-band-64k', 'report-status']),
    result: Promise.resolve({ outcomes: [{ command, refused: null }], taken }),
  }
  const parts = {
    repo: { status: async () => Promise.reject(new Error('cannot be read')) },
    manifest: { state: () => before, reload: async () => before },
    jobIds: () => [],
    address: 'http://localhost',
  } as Answering
  const text = Buffer.concat(await Array.fromAsync(answerPush(push, parts))).toString()
  assert.match(text, /The push was taken, but the state of the jobs repo cannot be read/)
  assert.match(text, /ok refs\/heads\/main/)
})

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
