import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { testFleet } from '../fleet.fixture.ts'

test('an inspection that hangs delays neither new work nor other inspections', async t => {
  const hung = new Set<string>()
  const looked: string[] = []
  // What hangs would be waited for after the test, too.
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {})
  t.after(() => over.reject(new Error('the test is over')))
  const fleet = await testFleet(t, {
    env: { HEALTH_INTERVAL: '1h' },
    driver: real => ({
      ...real,
      inspect: async ref => {
        looked.push(ref.subdomain)
        return hung.has(ref.subdomain) ? await over.promise : await real.inspect(ref)
      },
    }),
  })
  const stuck = await fleet.provision('stuck')
  const sound = await fleet.provision('sound')
  hung.add('stuck')
  const service = fleet.program.services.provisioner
  const fail = (id: string) =>
    service?.recordHealth(id, { healthy: false, at: Date.now(), answers: false, reason: 'no answer' })
  const looksAt = (name: string) => looked.filter(each => each === name).length

  const before = looksAt('stuck')
  fail(stuck.body.id)
  await eventually('a look that hangs', () => looksAt('stuck') > before)
  // A round that waits for it, as at boot.
  const round = fleet.program.runOnce('provisioner:reconcile')

  for (const verb of ['restart', 'stop', 'start']) {
    const { body } = await fleet.admin('POST', `/admin/instances/sound/${verb}`, { wait: 60 })
    assert.equal(body.operation?.status, 'succeeded', verb)
  }
  const sounds = looksAt('sound')
  fail(sound.body.id)
  await eventually('a look at the other', () => looksAt('sound') > sounds)
  fail(stuck.body.id)
  assert.equal(looksAt('stuck'), before + 1, 'one at a time at the one that hangs')
  // It is asked for itself, too.
  hung.delete('stuck')
  const restarted = await fleet.admin('POST', '/admin/instances/stuck/restart', { wait: 60 })
  assert.equal(restarted.body.status, 'running')
  await round
})

test('containers that no record explains are reported to the operator, at boot and regularly', async t => {
  const there = [
    { instanceId: 'inst_lost', container: 'longhouse-lost', active: true },
    { instanceId: '', container: 'longhouse-acme-old', active: false },
  ]
  const fleet = await testFleet(t, {
    driver: real => ({ ...real, existing: async () => there }),
  })
  const told = async () =>
    (await fleet.admin<{ containers: object[] }>('GET', '/admin/orphans')).body.containers
  assert.deepEqual(
    await eventually('told at boot', async () => (await told()).length > 0 && (await told())),
    [
      {
        container: 'longhouse-lost',
        instance_id: 'inst_lost',
        running: true,
        reason: 'no record has its instance',
      },
      {
        container: 'longhouse-acme-old',
        instance_id: null,
        running: false,
        reason: 'no record has its instance',
      },
    ],
  )
  const page = await fleet.admin<string>('GET', '/admin/instances', { headers: { Accept: 'text/html' } })
  assert.match(page.body, /containers that do not fit the records: longhouse-lost \(no record/)

  const { body } = await fleet.provision('acme')
  there.splice(0, 2, { instanceId: body.id, container: 'longhouse-acme', active: true })
  await fleet.program.runOnce('provisioner:compare-containers')
  assert.deepEqual(await told(), [])
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  await fleet.program.runOnce('provisioner:compare-containers')
  assert.match(JSON.stringify(await told()), /it runs though its instance is stopped/)
  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  await fleet.program.runOnce('provisioner:compare-containers')
  assert.match(JSON.stringify(await told()), /its instance was removed/)
})
