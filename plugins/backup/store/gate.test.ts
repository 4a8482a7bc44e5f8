import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from './gate.ts'

test('work that is alone waits for the others, and those that come later wait for it', async () => {
  const gate = new Gate(60_000)
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const beside = gate.beside(async () => {
    await first.promise
    order.push('first')
  })
  await isInside()
  const alone = gate.alone(async () => void order.push('alone'))
  const later = gate.beside(async () => void order.push('later'))
  await isInside()
  assert.deepEqual(order, [])
  first.resolve()
  await Promise.all([beside, alone, later])
  assert.deepEqual(order, ['first', 'alone', 'later'])
})

test('work that waited in vain to be alone gives up, and lets the others in', async () => {
  const gate = new Gate(20)
  const hanging = Promise.withResolvers<void>()
  const beside = gate.beside(() => hanging.promise)
  await isInside()
  const order: string[] = []
  const alone = gate.alone(async () => void order.push('alone'))
  const later = gate.beside(async () => void order.push('later'))
  await assert.rejects(alone, /the store was in use for .*; nothing was deleted/)
  await later
  assert.deepEqual(order, ['later'])
  hanging.resolve()
  await beside
  await gate.alone(async () => void order.push('alone'))
  assert.deepEqual(order, ['later', 'alone'])
})

async function isInside(): Promise<void> {
  await new Promise(setImmediate)
}
