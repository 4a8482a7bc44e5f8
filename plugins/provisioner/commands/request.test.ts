import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Problem } from '../../../src/http/problem.ts'
import { limitInstance } from '../reconciler/limits.ts'
import { getInstance, updateInstance } from '../records/instance.ts'
import {
  claimOperation,
  findOperation,
  finishOperation,
  openOperation,
  openOperationOf,
} from '../records/operation.ts'
import { testRecords } from '../records/records.fixture.ts'
import { resumeInstance, suspendInstance } from '../records/suspension.ts'
import type { InstanceRow } from '../schema.ts'
import { request } from './commands.ts'
import { resettable } from './password.ts'
import { restartOlder } from './settings-restart.ts'

type Kind = Parameters<typeof request>[2]

function box(t: TestContext, row: Partial<InstanceRow> = {}) {
  const fleet = testRecords(t)
  const { id, subdomain } = fleet.add(row)
  return {
    ...{ fleet, id, subdomain },
    now: () => getInstance(fleet.db, id),
    open: () => openOperationOf(fleet.db, id),
    request: (kind: Kind, options?: Parameters<typeof request>[3]) =>
      request(fleet, subdomain, kind, options),
    /** Ends the open operation as the reconciler would. */
    done: (change: Partial<InstanceRow>) => {
      const { id: operation = '' } = openOperationOf(fleet.db, id) ?? {}
      claimOperation(fleet.db, operation, fleet.clock.now())
      finishOperation(fleet.db, operation, { status: 'succeeded' }, fleet.clock.now())
      updateInstance(fleet.db, id, change)
    },
  }
}

const codeOf = (work: () => unknown) => {
  try {
    work()
    return 'done'
  } catch (error) {
    assert.ok(error instanceof Problem, String(error))
    return error.code
  }
}

test('a request sets the desired state and opens its operation, with all its steps', t => {
  const { request, now, open, fleet } = box(t)
  const { operationId } = request('stop')
  assert.equal(now().desired, 'stopped')
  assert.equal(open()?.kind, 'stop')
  const steps = findOperation(fleet.db, operationId ?? '')?.steps.map(({ name, status }) => [name, status])
  assert.deepEqual(steps, [
    ['stop routing', 'pending'],
    ['stop container', 'pending'],
  ])
})

const covered: [open: Kind, asked: Kind][] = [
  ['start', 'start'],
  ['restart', 'start'],
  ['upgrade', 'start'],
  ['restart', 'restart'],
  ['purge', 'deprovision'],
  ['purge', 'purge'],
]
for (const [first, then] of covered)
  test(`a ${then} is covered by the ${first} that is open`, t => {
    const { request } = box(t, { status: 'failed' })
    const { operationId } = request(first)
    assert.equal(request(then).operationId, operationId)
  })

const superseding: [open: Kind, asked: Kind][] = [
  ['start', 'stop'],
  ['start', 'restart'],
  ['stop', 'start'],
  ['stop', 'deprovision'],
  ['deprovision', 'purge'],
  ['upgrade', 'restart'],
]
for (const [first, then] of superseding)
  test(`a ${then} supersedes the ${first} that is open`, t => {
    const { request, fleet } = box(t, { status: 'failed' })
    const before = request(first).operationId ?? ''
    const after = request(then).operationId ?? ''
    assert.equal(findOperation(fleet.db, before)?.status, 'superseded')
    assert.equal(findOperation(fleet.db, after)?.status, 'pending')
  })

test('another image is always another upgrade', t => {
  const { request } = box(t)
  const first = request('upgrade', { image: 'longhouse-runtime:1' })
  assert.notEqual(request('upgrade', { image: 'longhouse-runtime:2' }).operationId, first.operationId)
})

test('a request for a state that is reached already opens nothing', t => {
  for (const [row, kind] of [
    [{ desired: 'running', status: 'running' }, 'start'],
    [{ desired: 'stopped', status: 'stopped' }, 'stop'],
  ] as const)
    assert.equal(box(t, row).request(kind).operationId, null)
  const removed = box(t)
  removed.request('deprovision')
  removed.done({ status: 'deleted' })
  assert.equal(removed.request('deprovision').operationId, null)
  // The desired state is set all the same: it may be on its way elsewhere.
  const failing = box(t, { desired: 'running', status: 'stopped' })
  assert.equal(failing.request('stop').operationId, null)
  assert.equal(failing.now().desired, 'stopped')
})

test('a removed instance can only be removed further', t => {
  const { request } = box(t)
  request('deprovision')
  for (const kind of ['start', 'stop', 'restart', 'upgrade'] as const)
    assert.equal(
      codeOf(() => request(kind)),
      'not-possible-now',
      kind,
    )
  assert.equal(
    codeOf(() => request('purge')),
    'done',
  )
})

test('a suspended instance may be stopped and removed, and not be started', t => {
  const { request, fleet, id } = box(t)
  suspendInstance(fleet, id, 'It is not paid for.')
  for (const kind of ['start', 'restart', 'upgrade'] as const)
    assert.equal(
      codeOf(() => request(kind)),
      'suspended',
      kind,
    )
  for (const kind of ['stop', 'deprovision', 'purge'] as const)
    assert.equal(
      codeOf(() => request(kind)),
      'done',
    )
})

test('a stopped instance is upgraded without being started, unless it is still being stopped', t => {
  const { request, done, now, fleet } = box(t)
  request('stop')
  assert.equal(
    codeOf(() => request('upgrade')),
    'not-possible-now',
  )
  done({ status: 'stopped' })
  const { operationId } = request('upgrade', { image: 'longhouse-runtime:2' })
  const names = findOperation(fleet.db, operationId ?? '')?.steps.map(({ name }) => name)
  assert.deepEqual(names, ['prepare image', 'copy data', 'stop routing', 'stop container', 'keep data'])
  assert.equal(now().desired, 'stopped')
})

test('a permit for a start ends when the instance is stopped or removed', t => {
  for (const kind of ['stop', 'deprovision', 'purge'] as const) {
    const { request, now } = box(t, { volumePermit: 'new' })
    request('start')
    assert.equal(now().volumePermit, 'new')
    request(kind)
    assert.equal(now().volumePermit, null, kind)
  }
})

test('a purged instance is unknown', t => {
  const { request } = box(t, { desired: 'deleted', status: 'deleted', purgedAt: 1 })
  assert.equal(
    codeOf(() => request('start')),
    'unknown-instance',
  )
})

test('new limits restart a running instance once, and apply at the next start of a stopped one', t => {
  const limits = { memoryBytes: 1024, cpus: 0.5 }
  const running = box(t, { settings: 'digest' })
  assert.equal(limitInstance(running.fleet, running.id, limits), true)
  assert.equal(running.open()?.kind, 'restart')
  assert.deepEqual([running.now().memoryBytes, running.now().cpus, running.now().settings], [1024, 0.5, null])
  running.done({ status: 'running' })
  assert.equal(limitInstance(running.fleet, running.id, limits), false)
  assert.equal(running.open(), null)

  const stopped = box(t, { desired: 'stopped', status: 'stopped' })
  assert.equal(limitInstance(stopped.fleet, stopped.id, limits), true)
  assert.equal(stopped.open(), null)
  // Work that is open is not superseded: it may be an upgrade.
  const busy = box(t)
  busy.request('upgrade')
  limitInstance(busy.fleet, busy.id, limits)
  assert.equal(busy.open()?.kind, 'upgrade')
  assert.equal(limitInstance(busy.fleet, busy.id, null), true)
})

test('only instances that run with older settings, and have no open operation, are restarted', t => {
  const { fleet, open } = box(t, { settings: 'older' })
  fleet.add({ status: 'stopped', desired: 'stopped', settings: 'older' })
  const suspended = fleet.add({ settings: 'older' })
  suspendInstance(fleet, suspended.id, 'It is not paid for.')
  const busy = fleet.add({ settings: null })
  request(fleet, busy.subdomain, 'upgrade')
  const unhealthy = fleet.add({ settings: null, status: 'unhealthy' })
  assert.deepEqual(
    restartOlder(fleet).map(({ subdomain }) => subdomain),
    ['box-1', unhealthy.subdomain],
  )
  assert.equal(open()?.kind, 'restart')
  assert.deepEqual(restartOlder(fleet), [])
})

test('a change of owner is done with its copy before anything else is', t => {
  const { request, done, open, now, fleet, id, subdomain } = box(t)
  const asked: string[] = []
  const copies = { request: (_: unknown, reason: string) => void asked.push(reason) }
  fleet.copies = () => copies as unknown as ReturnType<typeof fleet.copies>
  openOperation(fleet, { instanceId: id, kind: 'transfer', image: null }, fleet.clock.now())
  for (const kind of ['stop', 'restart', 'upgrade'] as const)
    assert.equal(
      codeOf(() => request(kind)),
      'not-possible-now',
      kind,
    )
  assert.equal(
    codeOf(() => resettable(fleet, subdomain)),
    'not-possible-now',
  )
  assert.equal(now().desired, 'running', 'what was refused changed nothing')
  assert.equal(request('start').operationId, open()?.id)

  suspendInstance(fleet, id, 'It is not paid for.')
  const names = findOperation(fleet.db, open()?.id ?? '')?.steps.map(({ name }) => name)
  assert.deepEqual([open()?.kind, names], ['transfer', ['stop routing', 'stop container', 'copy data']])
  resumeInstance(fleet, id)
  assert.equal(open()?.kind, 'transfer')
  assert.deepEqual(asked, [])
  request('deprovision')
  assert.deepEqual([open()?.kind, asked], ['deprovision', ['transfer']])
  done({ status: 'deleted' })
})

test('where no copies are made, a change of owner may be overtaken', t => {
  const { request, open, fleet, id } = box(t)
  openOperation(fleet, { instanceId: id, kind: 'transfer', image: null }, fleet.clock.now())
  request('stop')
  assert.equal(open()?.kind, 'stop')
})
