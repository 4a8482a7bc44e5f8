import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setStatus } from './fleet.ts'
import { testRecords } from './records.fixture.ts'
import { availabilityOf, pruneStatusChanges, statusSpans } from './status-history.ts'

const hour = 3_600_000
const day = 24 * hour

test('each change of status is kept with its reason and how long it lasted', t => {
  const fleet = testRecords(t)
  const { id } = fleet.add({ status: 'provisioning' })
  const other = fleet.add()
  setStatus(fleet, id, 'running')
  fleet.clock.advance(18 * hour)
  setStatus(fleet, id, 'unhealthy', 'the disk is full')
  setStatus(fleet, id, 'unhealthy', 'the disk is still full')
  fleet.clock.advance(6 * hour)
  setStatus(fleet, id, 'running')
  const now = fleet.clock.now()
  assert.deepEqual(statusSpans(fleet.db, id, 10), [
    { status: 'running', reason: null, from: now, to: null },
    { status: 'unhealthy', reason: 'the disk is full', from: now - 6 * hour, to: now },
    { status: 'running', reason: null, from: now - day, to: now - 6 * hour },
  ])
  assert.deepEqual(availabilityOf(fleet.db, id, now), { day: 0.75, month: 0.75 })
  assert.deepEqual(
    availabilityOf(fleet.db, other.id, now),
    { day: null, month: null },
    'nothing is known of it',
  )
})

test('the time in which an instance was meant to be stopped counts for nothing', t => {
  const fleet = testRecords(t)
  const { id } = fleet.add({ status: 'provisioning' })
  setStatus(fleet, id, 'running')
  fleet.clock.advance(3 * day)
  setStatus(fleet, id, 'failed', 'it ended')
  fleet.clock.advance(day)
  setStatus(fleet, id, 'stopped')
  fleet.clock.advance(5 * day)
  assert.deepEqual(availabilityOf(fleet.db, id, fleet.clock.now()), { day: null, month: 0.75 })
})

test('old changes are forgotten, and the one that still holds is kept', t => {
  const fleet = testRecords(t)
  const { id } = fleet.add({ status: 'provisioning' })
  for (let turn = 0; turn < 100; turn++) {
    setStatus(fleet, id, turn % 2 === 0 ? 'running' : 'unhealthy')
    fleet.clock.advance(day)
  }
  pruneStatusChanges(fleet.db, fleet.clock.now())
  assert.equal(statusSpans(fleet.db, id, 200).length, 36)
  assert.equal(availabilityOf(fleet.db, id, fleet.clock.now()).month, 0.5)
  fleet.clock.advance(365 * day)
  pruneStatusChanges(fleet.db, fleet.clock.now())
  assert.deepEqual(
    statusSpans(fleet.db, id, 200).map(({ status, to }) => ({ status, to })),
    [{ status: 'unhealthy', to: null }],
  )
  assert.equal(availabilityOf(fleet.db, id, fleet.clock.now()).month, 0)
})
