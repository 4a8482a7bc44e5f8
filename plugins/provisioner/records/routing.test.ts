import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../../src/log.ts'
import type { InstanceStatus } from '../contract.ts'
import type { InstanceRow } from '../schema.ts'
import { markReady, reachableAt, routeAll, setAddress, setAnswers, setStatus, specOf } from './fleet.ts'
import { getInstance } from './instance.ts'
import { testRecords } from './records.fixture.ts'
import { suspendInstance } from './suspension.ts'

const address = { host: '127.0.0.1', port: 4000 }

/** The router's state for an instance with an address: when it answers as itself, and when it does not. */
const states: Record<InstanceStatus, [answering: string, silent: string]> = {
  running: ['ready', 'ready'],
  provisioning: ['ready', 'starting'],
  unhealthy: ['ready', 'unhealthy'],
  failed: ['ready', 'unhealthy'],
  stopping: ['stopped', 'stopped'],
  stopped: ['stopped', 'stopped'],
  deprovisioning: ['starting', 'starting'],
  deleted: ['starting', 'starting'],
}
for (const [status, [answering, silent]] of Object.entries(states) as [InstanceStatus, [string, string]][])
  test(`an instance that should run and is ${status} gets requests if it answers as itself`, t => {
    const fleet = testRecords(t)
    const stateOf = (row: Partial<InstanceRow>) => {
      const { id, subdomain } = fleet.add({ ...address, status, ...row })
      setAnswers(fleet, id, row.answers ?? false)
      return fleet.routes.get(subdomain)?.state
    }
    assert.equal(stateOf({ answers: true }), answering)
    assert.equal(stateOf({ answers: false }), silent)
    // Nothing is reachable without an address, nor what should not run.
    for (const row of [{ host: null }, { port: null }, { desired: 'stopped' }] as const)
      assert.equal(reachableAt(fleet.add({ ...address, status, answers: true, ...row })), null)
  })

test('the router forgets a removed instance, and answers for a suspended one by a state of its own', t => {
  const fleet = testRecords(t)
  const removed = fleet.add({ ...address, answers: true, desired: 'deleted' })
  setStatus(fleet, removed.id, 'deprovisioning')
  assert.equal(fleet.routes.get(removed.subdomain), null)
  const suspended = fleet.add({ ...address, answers: true })
  suspendInstance(fleet, suspended.id, 'It is not paid for.')
  setAnswers(fleet, suspended.id, true)
  assert.deepEqual(fleet.routes.get(suspended.subdomain), { state: 'suspended', instanceId: suspended.id })
})

test('a change of status is announced once, with the status before', t => {
  const fleet = testRecords(t)
  const { id, subdomain } = fleet.add()
  setStatus(fleet, id, 'unhealthy', 'its disk is full')
  setStatus(fleet, id, 'unhealthy', 'it does not answer')
  assert.deepEqual(fleet.emitted, [
    {
      event: 'instance-status-changed',
      payload: { instanceId: id, subdomain, from: 'running', to: 'unhealthy' },
    },
  ])
  assert.equal(getInstance(fleet.db, id).statusReason, 'it does not answer')
})

test('an instance keeps its address through a failure, and loses it once it is stopped', t => {
  const fleet = testRecords(t)
  const { id } = fleet.add({ ...address, answers: true, volumeFault: 'missing' })
  const now = () => getInstance(fleet.db, id)
  setStatus(fleet, id, 'failed', 'no image')
  assert.deepEqual([now().host, now().answers, now().volumeFault], ['127.0.0.1', true, null])
  setStatus(fleet, id, 'stopped')
  assert.deepEqual([now().host, now().port, now().answers, now().statusReason], [null, null, false, null])
})

test('an instance with a new address counts as not answering until it is seen to', t => {
  const fleet = testRecords(t)
  const { id, subdomain } = fleet.add({ ...address, answers: true, status: 'unhealthy' })
  setAddress(fleet, id, { host: '127.0.0.1', port: 5000 })
  assert.equal(fleet.routes.get(subdomain)?.state, 'unhealthy')
  setAnswers(fleet, id, true)
  assert.deepEqual(fleet.routes.get(subdomain), {
    ...{ state: 'ready', instanceId: id, host: '127.0.0.1', port: 5000 },
  })
})

test('the time when an instance was first ready does not change', t => {
  const fleet = testRecords(t)
  const { id } = fleet.add()
  markReady(fleet, id)
  const first = fleet.clock.now()
  fleet.clock.advance(1000)
  markReady(fleet, id)
  assert.equal(getInstance(fleet.db, id).readyAt, first)
})

function started(t: TestContext, outlivesControlPlane: boolean) {
  const fleet = testRecords(t, { outlivesControlPlane })
  const { id, subdomain } = fleet.add({ ...address, answers: true })
  fleet.add({ subdomain: 'gone', desired: 'deleted', purgedAt: 1 })
  routeAll(fleet, silentLog)
  return { record: getInstance(fleet.db, id), route: fleet.routes.get(subdomain), routes: fleet.routes }
}

test('at boot the router learns where containers listen: they kept running', t => {
  const { record, route, routes } = started(t, true)
  assert.equal(route?.state, 'ready')
  assert.equal(record.answers, true)
  assert.equal(routes.has('gone'), false)
})

test('at boot child processes listen nowhere: they ended with the last control plane', t => {
  const { record, route } = started(t, false)
  assert.equal(route?.state, 'starting')
  assert.deepEqual([record.host, record.port, record.answers], [null, null, false])
})

test('a container gets the site’s settings, its own key, and what plugins add; plugins override nothing', t => {
  const fleet = testRecords(t)
  const added = { LONGHOUSE_VOLUME_ID: 'inst_other', EXTRA: '1' }
  const { environment, limits, publicUrl, volume } = specOf(
    { ...fleet, environments: () => [{ variables: added, renewed: [] }] },
    fleet.add({ memoryBytes: 1024, cpus: 0.5, handedOverAt: 0 }),
  )
  assert.deepEqual(environment, {
    EXTRA: '1',
    LONGHOUSE_STOP_GRACE: '1000ms',
    LONGHOUSE_KEEP_RUNS: '500',
    LONGHOUSE_KEEP_FOR: '86400000ms',
    LONGHOUSE_PACKAGES_LIMIT: '2097152k',
    LONGHOUSE_RUNS_AT_ONCE: '8',
    LONGHOUSE_SECRET_KEY: 'key of inst_1',
    LONGHOUSE_VOLUME_ID: 'inst_1',
    LONGHOUSE_HANDED_OVER_AT: '1970-01-01T00:00:00.000Z',
  })
  assert.deepEqual(limits, { memoryBytes: 1024, cpus: 0.5 })
  assert.equal(publicUrl, 'http://box-1.example.com')
  assert.equal(volume, `${fleet.site.dataRoot}/box-1`)
  const mail = { smtpUrl: 'smtp://mail', smtpFrom: 'jobs@example.com' }
  const plain = specOf({ ...fleet, mail }, fleet.add({ memoryBytes: 1024 }))
  assert.equal(plain.limits, null, 'half a limit is none')
  assert.equal(plain.environment.SMTP_FROM, 'jobs@example.com')
  assert.equal('LONGHOUSE_HANDED_OVER_AT' in plain.environment, false)

  const own = fleet.add({ pids: 64, diskBytes: 1024 ** 3, runsAtOnce: 2 })
  const small = specOf({ ...fleet, diskBytes: 2 * 1024 ** 3 }, own)
  assert.deepEqual(
    [small.pids, small.environment.LONGHOUSE_DISK_LIMIT, small.environment.LONGHOUSE_RUNS_AT_ONCE],
    [64, '1048576k', '2'],
  )
  const usual = specOf({ ...fleet, diskBytes: 2 * 1024 ** 3 }, fleet.add())
  assert.deepEqual([usual.pids, usual.environment.LONGHOUSE_DISK_LIMIT], [undefined, '2097152k'])
})
