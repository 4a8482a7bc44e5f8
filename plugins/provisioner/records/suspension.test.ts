import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

const why = 'It is not paid for.'

async function suspendable(t: TestContext) {
  const root = temporaryFolder(t)
  const fleet = await testFleet(t, { root })
  const { body } = await fleet.provision('acme')
  return { root, fleet, id: body.id, service: serviceOf(fleet) }
}

function serviceOf(fleet: TestFleet) {
  const service = fleet.program.services.provisioner
  assert.ok(service)
  return service
}

const become = (fleet: TestFleet, status: string) =>
  eventually(`acme is ${status}`, async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/acme')
    const open = body.operation?.status === 'pending' || body.operation?.status === 'running'
    return body.status === status && !open && body
  })

test('a suspended instance stops, cannot be started, and runs again once it is resumed', async t => {
  const { fleet, id, service, root } = await suspendable(t)
  assert.equal(service.suspend(id, why), true)
  assert.equal(service.suspend(id, why), false)
  const stopped = await become(fleet, 'stopped')
  assert.deepEqual([stopped.desired, stopped.suspension], ['running', why])
  for (const verb of ['start', 'restart', 'upgrade']) {
    const refused = await fleet.admin<{ type: string; detail: string }>(
      'POST',
      `/admin/instances/acme/${verb}`,
    )
    assert.equal(refused.status, 409, verb)
    assert.equal(refused.body.type, 'urn:longhouse:problem:suspended')
    assert.match(refused.body.detail, /not paid for/)
  }
  // A new password is for when it runs again.
  const reset = await fleet.admin('POST', '/admin/instances/acme/reset-password', { wait: 60 })
  assert.equal(reset.status, 200)
  for (let round = 0; round < 3; round++) await fleet.program.runOnce('provisioner:reconcile')
  await become(fleet, 'stopped')
  const boots = readFileSync(join(root, 'acme', 'boots'), 'utf8')
    .trim()
    .split('\n').length
  assert.equal(boots, 1)

  const visited = await fleet.visit('acme', '/', { Accept: 'text/html' })
  assert.deepEqual([visited.status, visited.headers['retry-after']], [503, '3600'])
  assert.match(visited.text, /<h1>The instance is suspended<\/h1>/)
  assert.doesNotMatch(visited.text, /paid for/, 'why is shown to the owner alone')

  assert.equal(service.resume(id), true)
  assert.equal(service.resume(id), false)
  const running = await become(fleet, 'running')
  assert.deepEqual([running.suspension, running.suspended_at], [null, null])
})

test('an instance that was stopped stays stopped when its suspension ends', async t => {
  const { fleet, id, service } = await suspendable(t)
  service.suspend(id, why)
  await become(fleet, 'stopped')
  const stop = await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  assert.deepEqual([stop.status, stop.body.desired], [200, 'stopped'])
  service.resume(id)
  for (let round = 0; round < 3; round++) await fleet.program.runOnce('provisioner:reconcile')
  assert.equal((await become(fleet, 'stopped')).desired, 'stopped')
  assert.equal(
    (await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })).body.status,
    'running',
  )
})

test('a transfer ends the suspension', async t => {
  const { fleet, id, service } = await suspendable(t)
  service.suspend(id, why)
  await become(fleet, 'stopped')
  const body = { owner_email: 'grace@example.com' }
  const given = await fleet.admin('POST', '/admin/instances/acme/transfer', { body, wait: 60 })
  assert.deepEqual([given.status, given.body.status, given.body.suspension], [200, 'running', null])

  service.suspend(id, why)
  await become(fleet, 'stopped')
  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.equal((await fleet.admin('POST', '/admin/instances/acme/transfer', { body })).body.suspension, null)
  await fleet.admin('POST', '/admin/instances/acme/restore', { wait: 60 })
  await become(fleet, 'running')
})

test('a suspension outlives a restart of the control plane, and a removal that is undone', async t => {
  const { fleet, id, service, root } = await suspendable(t)
  service.suspend(id, why)
  await fleet.program.stop()
  const again = await testFleet(t, { root })
  const restarted = serviceOf(again)
  await become(again, 'stopped')
  restarted.setDesired('acme', 'deleted', 'billing')
  assert.equal((await become(again, 'deleted')).deleted_by, 'billing')
  restarted.restore('acme')
  const back = await become(again, 'stopped')
  assert.deepEqual([back.desired, back.suspension, back.deleted_by], ['running', why, null])
  restarted.resume(id)
  await become(again, 'running')
})
