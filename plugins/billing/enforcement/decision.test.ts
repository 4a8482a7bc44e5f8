import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Action, beyondRoom, type Case, decide, dueFor, type EnforcedInstance } from './decision.ts'

const running = (id: string, given: Partial<EnforcedInstance> = {}): EnforcedInstance => ({
  ...{ id, billed: true, desired: 'running', deletedBy: null, suspendedAt: null, createdAt: Number(id) },
  ...given,
})
const stopped = (id: string) => running(id, { suspendedAt: 1 })
const removed = (id: string) => running(id, { suspendedAt: 1, desired: 'deleted', deletedBy: 'billing' })

const runs: Case = {
  standing: { instances: 'run', reason: null },
  room: null,
  limits: null,
  mayRemove: false,
}
const stops: Case = { ...runs, standing: { instances: 'stop', reason: 'unpaid' } }
const removes: Case = { ...runs, standing: { instances: 'remove', reason: 'trial' }, mayRemove: true }
const free: Case = { ...runs, standing: { instances: 'none', reason: null } }

const decided = (instance: EnforcedInstance, account: Case): Action['type'][] =>
  (decide([instance], account).get(instance) ?? []).map(({ type }) => type)

test('an account that runs gets its instances back, with the limits of its plan', () => {
  assert.deepEqual(decided(running('1'), runs), ['limit'])
  assert.deepEqual(decided(stopped('1'), runs), ['limit', 'resume'])
  assert.deepEqual(decided(removed('1'), runs), ['limit', 'resume', 'restore'])
  const limits = { memoryBytes: 1, cpus: 2 }
  const one = running('1')
  assert.deepEqual(decide([one], { ...runs, limits }).get(one), [{ type: 'limit', limits }])
})

test('what its owner or the operator removed stays removed', () => {
  for (const deletedBy of ['owner', 'operator'] as const) {
    assert.deepEqual(decided(running('1', { desired: 'deleted', deletedBy }), runs), ['limit'])
    assert.deepEqual(decided(running('1', { desired: 'deleted', deletedBy }), free), [])
  }
})

test('an account that is due to stop has its instances suspended, with the reason in words', () => {
  const one = running('1')
  assert.deepEqual(decide([one], stops).get(one), [
    { type: 'suspend', reason: 'The instance is not paid for.' },
  ])
  assert.deepEqual(decided(running('1', { billed: false }), stops), ['limit'])
})

test('instances are removed only when that may be carried out, and once', () => {
  assert.deepEqual(decided(stopped('1'), removes), ['suspend', 'remove'])
  assert.deepEqual(decided(stopped('1'), { ...removes, mayRemove: false }), ['suspend'])
  assert.deepEqual(decided(removed('1'), removes), ['suspend'])
  assert.deepEqual(decided(stopped('1'), { ...stops, mayRemove: true }), ['suspend'])
})

test('what billing did to an instance is undone when the instance is no longer billed', () => {
  for (const account of [runs, stops, removes, free]) {
    assert.deepEqual(decided(running('1', { billed: false }), account), ['limit'])
    assert.deepEqual(decided({ ...removed('1'), billed: false }, account), ['resume', 'restore', 'limit'])
  }
})

test('an account in which billing has no say gets its instances back, and no limits', () => {
  assert.deepEqual(decided(stopped('1'), free), ['resume'])
  assert.deepEqual(decided(running('1'), free), [])
})

test('the newest instances beyond the plan’s room are suspended, and never removed', () => {
  const [first, second, third] = [running('1'), running('2'), running('3')]
  const decisions = decide([third, first, second], { ...runs, room: 1, mayRemove: true })
  const types = (each: EnforcedInstance) => decisions.get(each)?.map(({ type }) => type)
  assert.deepEqual(types(first), ['limit'])
  assert.deepEqual(types(second), ['suspend'])
  assert.deepEqual(types(third), ['suspend'])
  assert.match(JSON.stringify(decisions.get(second)), /room for one instance/)
  assert.match(
    JSON.stringify([...decide([first, second, third], { ...runs, room: 2 })]),
    /room for 2 instances/,
  )
})

test('what counts against the room: billed instances, also those that billing removed', () => {
  const own = running('2', { desired: 'deleted', deletedBy: 'owner' })
  const unbilled = running('3', { billed: false })
  const list = [running('1'), own, unbilled, removed('4'), running('5')]
  assert.deepEqual(
    beyondRoom(list, 1).map(({ id }) => id),
    ['4', '5'],
  )
  assert.deepEqual(beyondRoom(list, 3), [])
  // A removed instance does not come back while there is no room for it.
  assert.deepEqual(decide(list, { ...runs, room: 1 }).get(list[3] as EnforcedInstance), [])
})

test('Stripe is asked only about accounts with something left to stop or to remove', () => {
  assert.deepEqual(dueFor('run', [running('1')]), { stop: false, remove: false })
  assert.deepEqual(dueFor('none', [running('1')]), { stop: false, remove: false })
  assert.deepEqual(dueFor('stop', [running('1')]), { stop: true, remove: false })
  assert.deepEqual(dueFor('stop', [stopped('1')]), { stop: false, remove: false })
  assert.deepEqual(dueFor('remove', [running('1')]), { stop: true, remove: true })
  assert.deepEqual(dueFor('remove', [stopped('1')]), { stop: false, remove: true })
  assert.deepEqual(dueFor('remove', [removed('1'), running('2', { billed: false })]), {
    ...{ stop: false, remove: false },
  })
})
