import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idleMemory, ownHeap } from './idle-memory.ts'

const mib = 2 ** 20
const once = (task: { run(signal: AbortSignal): Promise<void> }) => task.run(new AbortController().signal)

const allocate = (count: number) => Array.from({ length: count }, (_, index) => ({ index, next: [index] }))

test('an idle program gives the memory of past work back', async () => {
  const heap = ownHeap()
  const task = idleMemory({ ...heap, busyShare: () => 0 })
  const held: { work: unknown } = { work: allocate(100_000) }
  await once(task)
  const during = heap.sizeBytes()
  // More work, so that the heap grows by more than the slack.
  held.work = allocate(300_000)
  held.work = null
  await once(task)
  assert.ok(during - heap.sizeBytes() > 5 * mib, `${during} bytes, then ${heap.sizeBytes()}`)
})

/** A heap of the given sizes, one for each round, that gives back all but 20 MiB. */
function heapOf(rounds: readonly { mib: number; busy: number }[]) {
  let round = -1
  let collected = false
  const log: string[] = []
  const task = idleMemory({
    busyShare: () => {
      round++
      collected = false
      return rounds[round]?.busy ?? 0
    },
    sizeBytes: () => (collected ? 20 : (rounds[round]?.mib ?? 0)) * mib,
    collect: () => {
      collected = true
      log.push(`round ${round + 1}`)
    },
  })
  return { task, log }
}

test('a program that is at work is not interrupted', async () => {
  const { task, log } = heapOf([
    { mib: 40, busy: 0.8 },
    { mib: 40, busy: 0.04 },
    { mib: 40, busy: 0.02 },
  ])
  for (let i = 0; i < 3; i++) await once(task)
  assert.deepEqual(log, ['round 3'])
})

test('a large heap is left alone: the pause would make slots late', async () => {
  const { task, log } = heapOf([
    { mib: 65, busy: 0 },
    { mib: 64, busy: 0 },
  ])
  for (let i = 0; i < 2; i++) await once(task)
  assert.deepEqual(log, ['round 2'])
})

test('a program that has not grown is left alone, however often it is looked at', async () => {
  const { task, log } = heapOf([
    { mib: 40, busy: 0 },
    { mib: 20, busy: 0 },
    { mib: 25, busy: 0 },
    { mib: 26, busy: 0 },
    ...Array.from({ length: 500 }, () => ({ mib: 22, busy: 0 })),
  ])
  for (let i = 0; i < 504; i++) await once(task)
  assert.deepEqual(log, ['round 1', 'round 4', 'round 244', 'round 484'], 'and once an hour')
})

test('the flag that shows the collector is off again: compiled code that is cached under other flags is refused', async () => {
  const task = idleMemory({ ...ownHeap(), busyShare: () => 0, sizeBytes: () => 50 * mib })
  await once(task)
  const { runInNewContext } = await import('node:vm')
  assert.equal(runInNewContext('typeof gc'), 'undefined')
})
