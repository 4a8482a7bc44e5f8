import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answering, answerPush } from './answer.ts'
import type { Taken } from './pushes.ts'

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
