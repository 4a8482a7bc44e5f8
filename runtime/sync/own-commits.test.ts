import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOwnCommits } from './own-commits.ts'

test('a commit by a person or a job starts one sync', () => {
  const own = createOwnCommits()
  assert.equal(own.callsForSync('c1'), true)
  assert.equal(own.callsForSync('c1'), false)
})

test('commits made or taken by a sync start none', async () => {
  const own = createOwnCommits()
  await own.whileLoading(async () => assert.equal(own.callsForSync('c1'), false))
  own.take('c2')
  assert.equal(own.callsForSync('c2'), false)
  await assert.rejects(own.whileLoading(() => Promise.reject(new Error('it failed'))))
  assert.equal(own.callsForSync('c3'), true)
})
