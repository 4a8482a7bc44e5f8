import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoadQueue } from './load-queue.ts'

/** A queue whose loads end one by one, and what happened in it. */
function queueOf() {
  const log: string[] = []
  const gates: (() => void)[] = []
  const queue = createLoadQueue(async again => {
    log.push(again ? 'load again' : 'load')
    await new Promise<void>(resolve => gates.push(resolve))
    log.push('loaded')
  })
  /** Ends the load in progress. */
  const endLoad = async () => {
    while (gates.length === 0) await new Promise(done => setImmediate(done))
    gates.shift()?.()
  }
  return { queue, log, endLoad }
}

test('requests during a load share the next load, which does the most that any of them asks', async () => {
  const { queue, log, endLoad } = queueOf()
  const first = queue.load(false)
  await new Promise(done => setImmediate(done))
  const others = [queue.load(false), queue.load(true), queue.load(false)]
  await endLoad()
  await first
  await endLoad()
  await Promise.all(others)
  assert.deepEqual(log, ['load', 'loaded', 'load again', 'loaded'])
})

test('other work waits for the load before it, even a failed one, and loads wait for other work', async () => {
  const { queue, log, endLoad } = queueOf()
  const first = queue.load(false)
  await new Promise(done => setImmediate(done))
  const work = queue.exclusive(async () => {
    log.push('work')
    throw new Error('it failed')
  })
  const second = queue.load(false)
  await endLoad()
  await assert.rejects(work, /it failed/)
  await endLoad()
  await Promise.all([first, second])
  assert.deepEqual(log, ['load', 'loaded', 'work', 'load', 'loaded'])
})

test('the queue is idle once all waiting work has ended', async () => {
  const { queue, log, endLoad } = queueOf()
  void queue.load(false)
  await new Promise(done => setImmediate(done))
  void queue.load(false)
  const idle = queue.idle().then(() => log.push('idle'))
  await endLoad()
  await endLoad()
  await idle
  assert.deepEqual(log, ['load', 'loaded', 'load', 'loaded', 'idle'])
  await queue.idle()
})
