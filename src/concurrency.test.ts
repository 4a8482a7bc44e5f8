import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limit, serial, serialByKey } from './concurrency.ts'

test('one task runs at a time, in the order of the calls, even after a failure', async () => {
  const inOrder = serial()
  const done: string[] = []
  const gate = Promise.withResolvers<void>()
  const failing = inOrder(async () => {
    await gate.promise
    done.push('first')
    throw new Error('this one fails')
  })
  const next = inOrder(async () => done.push('second'))
  gate.resolve()
  await assert.rejects(failing, /this one fails/)
  assert.equal(await next, 2)
  assert.deepEqual(done, ['first', 'second'])
})

test('tasks of one key run in order, even after a failure; other keys do not wait', async () => {
  const inTurn = serialByKey()
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

test('at most two tasks run, three wait, and the sixth is refused', async () => {
  const place = limit(2, 3, () => new Error('full'))
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
