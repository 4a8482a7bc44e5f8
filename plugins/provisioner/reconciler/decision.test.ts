import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Desired, InstanceStatus, OperationStatus } from '../contract.ts'
import { instanceStatuses } from '../contract.ts'
import type { Instance, Removal, Suspension } from '../schema.ts'
import { decideMove, type Move, mayTryNow } from './decision.ts'

type Deciding = Parameters<typeof decideMove>[0]

const instance = (desired: Desired, status: InstanceStatus, more: Partial<Instance> = {}): Deciding => ({
  ...{ desired, status, volumeFault: null, host: '127.0.0.1', removal: null, suspension: null },
  ...(desired === 'deleted' && { removal: { purgeRequestedAt: null } as Removal }),
  ...more,
})
const suspension: Suspension = { instanceId: 'inst_1', since: 1, reason: 'It is not paid for.', keptMs: 0 }
const ready = { confirmed: true, mayTry: () => true }
const resting = { confirmed: true, mayTry: () => false }

/** What each status leads to: when nothing forbids an attempt, and during the pause after a failure. */
const moves: Record<Desired, Record<InstanceStatus, [ready: Move, resting: Move]>> = {
  running: {
    provisioning: ['inspect', 'inspect'],
    running: ['nothing', 'nothing'],
    unhealthy: ['inspect', 'inspect'],
    stopping: ['inspect', 'inspect'],
    stopped: ['inspect', 'inspect'],
    failed: ['bring up', 'nothing'],
    deprovisioning: ['inspect', 'inspect'],
    deleted: ['inspect', 'inspect'],
  },
  stopped: {
    provisioning: ['stop', 'nothing'],
    running: ['stop', 'nothing'],
    unhealthy: ['stop', 'nothing'],
    stopping: ['stop', 'nothing'],
    stopped: ['nothing', 'nothing'],
    failed: ['stop', 'nothing'],
    deprovisioning: ['stop', 'nothing'],
    deleted: ['stop', 'nothing'],
  },
  deleted: {
    provisioning: ['deprovision', 'nothing'],
    running: ['deprovision', 'nothing'],
    unhealthy: ['deprovision', 'nothing'],
    stopping: ['deprovision', 'nothing'],
    stopped: ['deprovision', 'nothing'],
    failed: ['deprovision', 'nothing'],
    deprovisioning: ['deprovision', 'nothing'],
    deleted: ['nothing', 'nothing'],
  },
}
for (const [desired, row] of Object.entries(moves) as [Desired, (typeof moves)[Desired]][]) {
  test(`an instance whose desired state is ${desired}: every status leads there`, () => {
    for (const status of instanceStatuses)
      assert.equal(decideMove(instance(desired, status), ready), row[status][0], status)
  })
  test(`an instance whose desired state is ${desired}: after a failure no operation is opened until the pause is over`, () => {
    for (const status of instanceStatuses)
      assert.equal(decideMove(instance(desired, status), resting), row[status][1], status)
  })
}

test('a suspended instance is stopped although it should run, and left alone once it is', () => {
  for (const status of instanceStatuses)
    assert.equal(
      decideMove(instance('running', status, { suspension }), ready),
      moves.stopped[status][0],
      status,
    )
})

test('a suspended instance can be removed', () => {
  assert.equal(decideMove(instance('deleted', 'stopped', { suspension }), ready), 'deprovision')
})

test('a requested purge is carried out whatever the status, until the volume is gone', () => {
  const removal = { purgeRequestedAt: 1 } as Removal
  for (const status of instanceStatuses)
    assert.equal(decideMove(instance('deleted', status, { removal }), ready), 'purge', status)
  for (const status of instanceStatuses)
    assert.equal(decideMove(instance('deleted', status, { removal }), resting), 'nothing', status)
})

test('an instance that failed is located meanwhile, if it is not known where it listens', () => {
  assert.equal(decideMove(instance('running', 'failed', { host: null }), resting), 'locate')
  assert.equal(decideMove(instance('running', 'failed', { host: null }), ready), 'bring up')
})

test('an instance without its volume is brought up as soon as that is back, however often it failed', () => {
  for (const volumeFault of ['missing', 'foreign'] as const)
    assert.equal(decideMove(instance('running', 'failed', { volumeFault }), resting), 'bring up')
  // What should not run does not need it.
  assert.equal(decideMove(instance('stopped', 'stopped', { volumeFault: 'missing' }), ready), 'nothing')
})

test('a running instance is inspected until its container was seen', () => {
  assert.equal(decideMove(instance('running', 'running'), { ...ready, confirmed: false }), 'inspect')
  assert.equal(decideMove(instance('running', 'running'), ready), 'nothing')
})

test('earlier operations are read only where a new one would be opened', () => {
  const mayTry = () => assert.fail('it was asked')
  for (const [desired, status] of [
    ['running', 'running'],
    ['running', 'unhealthy'],
    ['stopped', 'stopped'],
    ['deleted', 'deleted'],
  ] as const)
    decideMove(instance(desired, status), { confirmed: true, mayTry })
})

const minute = 60_000
const now = 1_700_000_000_000
const ended = (agoMs: number, status: OperationStatus = 'failed', permanent = false) => ({
  ...{ status, permanent, finishedAt: now - agoMs },
})

test('without a failure there is no pause', () => {
  assert.equal(mayTryNow([], now), true)
  assert.equal(mayTryNow([ended(0, 'succeeded'), ended(0)], now), true)
  assert.equal(mayTryNow([ended(0, 'superseded'), ended(0)], now), true)
})

const pauses: [failures: number, pauseMs: number][] = [
  [1, minute / 2],
  [2, minute],
  [3, 2 * minute],
  [4, 4 * minute],
  [5, 8 * minute],
  [6, 10 * minute],
  [8, 10 * minute],
]
for (const [failures, pauseMs] of pauses)
  test(`after ${failures} failures in a row the pause is ${pauseMs / minute} minutes`, () => {
    const recent = (agoMs: number) => Array.from({ length: failures }, () => ended(agoMs))
    assert.equal(mayTryNow(recent(pauseMs - 1), now), false)
    assert.equal(mayTryNow(recent(pauseMs), now), true)
    // Only failures in a row count.
    if (failures < 8)
      assert.equal(mayTryNow([...recent(pauseMs), ended(0, 'succeeded'), ended(0)], now), true)
  })

test('an operation that failed permanently is not retried', () => {
  assert.equal(mayTryNow([ended(365 * 24 * 60 * minute, 'failed', true)], now), false)
  // Unless something else was done since.
  assert.equal(mayTryNow([ended(0, 'succeeded'), ended(0, 'failed', true)], now), true)
})

test('a failure in the future does not delay the next attempt: the clock was set back', () => {
  assert.equal(mayTryNow([ended(-60 * minute)], now), true)
})
