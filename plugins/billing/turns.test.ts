import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeTurns } from './turns.ts'

test('work on one key goes one after the other, whatever fails; another key does not wait', async () => {
  const inTurn = takeTurns()
  const done: string[] = []
  const first = Promise.withResolvers<void>()
  const slow = inTurn('a', async () => {
    await first.promise
    done.push('a1')
    throw new Error('this one fails')
  })
  const next = inTurn('a', async () => void done.push('a2'))
  await inTurn('b', async () => void done.push('b1'))
  first.resolve()
  await assert.rejects(slow, /this one fails/)
  await next
  assert.deepEqual(done, ['b1', 'a1', 'a2'])
})
