import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

/** A fleet with an instance that has a copy, and a store that can be lost. */
async function fleetWithStore(t: TestContext) {
  const clock = setClock()
  const env = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }
  const fleet = await testFleet(t, { plugins: [backup], env, clock })
  await fleet.provision('acme')
  const store = join(fleet.root, '.control/backups')
  const { status } = await fleet.admin('POST', '/admin/instances/acme/backup', { wait: 60 })
  assert.equal(status, 201)
  return {
    ...{ fleet, clock },
    file: (name: string) => join(fleet.root, 'acme', name),
    lose: () => renameSync(store, `${store}.elsewhere`),
    find: () => renameSync(`${store}.elsewhere`, store),
    copies: async () =>
      (await fleet.admin<{ backups: WireBackup[] }>('GET', '/admin/instances/acme/backups')).body.backups,
  }
}

const remove = '/admin/instances/acme?purge=true'

test('data that cannot be copied are deleted only if the operator says so, knowing what is lost', {
  skip: noRestic,
}, async t => {
  const { fleet, file, lose } = await fleetWithStore(t)
  writeFileSync(file('precious'), 'x')
  lose()
  const page = async () =>
    String((await fleet.admin('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })).body)
  assert.doesNotMatch(await page(), /without_copy/)
  const refused = await fleet.admin('DELETE', remove, { wait: 60 })
  assert.match(
    refused.body.operation?.error ?? '',
    /^copy data: no backup could be made, so nothing was changed/,
  )
  assert.equal(readFileSync(file('precious'), 'utf8'), 'x')
  assert.match(
    await page(),
    /its newest backup was begun at .*: everything since then is lost.*name="without_copy"/s,
  )

  const alone = await fleet.admin<{ errors: unknown }>('DELETE', '/admin/instances/acme?without_copy=true')
  assert.deepEqual(
    [alone.status, alone.body.errors],
    [422, [{ path: 'without_copy', message: 'goes with purge=true only' }]],
  )
  // What was said once counts for that request: the next one has to say it again.
  const again = await fleet.admin('DELETE', remove, { wait: 60 })
  assert.equal(again.body.operation?.status, 'failed')
  assert.ok(existsSync(file('precious')))

  const deleted = await fleet.admin('DELETE', `${remove}&without_copy=true`, { wait: 60 })
  assert.equal(deleted.body.operation?.status, 'succeeded', JSON.stringify(deleted.body.operation))
  const step = deleted.body.operation?.steps.find(({ name }) => name === 'copy data')
  assert.match(
    step?.detail ?? '',
    /^deleted without a backup, as the operator decided: no backup could be made/,
  )
  assert.ok(!existsSync(join(fleet.root, 'acme')))
})

test('with a store that works, data are copied before they are deleted, whatever was permitted', {
  skip: noRestic,
}, async t => {
  const { fleet } = await fleetWithStore(t)
  const { body } = await fleet.admin('DELETE', `${remove}&without_copy=true`, { wait: 60 })
  assert.match(body.operation?.steps.find(({ name }) => name === 'copy data')?.detail ?? '', /^copy_/)
})

test('the new owner of an instance gets it after a copy was made of what the previous one left', {
  skip: noRestic,
}, async t => {
  const { fleet, clock, file, lose, find, copies } = await fleetWithStore(t)
  const transfer = async (to: string) =>
    (
      await fleet.admin('POST', '/admin/instances/acme/transfer', {
        body: { owner_email: `${to}@example.com` },
        wait: 60,
      })
    ).body
  const given = await transfer('grace')
  assert.deepEqual(
    [given.status, given.operation?.kind],
    ['running', 'transfer'],
    JSON.stringify(given.operation),
  )
  assert.deepEqual(
    (await copies()).map(({ reason }) => reason),
    ['transfer', 'demand'],
  )

  // Without a store it waits, stopped, and goes on by itself.
  lose()
  const boots = readFileSync(file('boots'), 'utf8')
  const waiting = await transfer('eve')
  assert.deepEqual([waiting.status, waiting.operation?.status], ['failed', 'failed'])
  assert.match(waiting.status_reason ?? '', /no backup could be made, so nothing was changed/)
  clock.advance(60_000)
  await fleet.program.runOnce('provisioner:reconcile')
  await eventually('it was tried again', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/acme')
    return body.operation?.id !== waiting.operation?.id && body.operation?.status === 'failed'
  })
  assert.equal(readFileSync(file('boots'), 'utf8'), boots, 'it was not started')
  find()
  clock.advance(600_000)
  await fleet.program.runOnce('provisioner:reconcile')
  await eventually(
    'it runs',
    async () => (await fleet.admin('GET', '/admin/instances/acme')).body.status === 'running',
  )
  assert.equal((await copies())[0]?.reason, 'transfer')
  assert.notEqual(readFileSync(file('boots'), 'utf8'), boots)

  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const stopped = await transfer('ada')
  assert.deepEqual([stopped.status, stopped.operation?.status], ['stopped', 'succeeded'])
  assert.equal((await copies()).filter(({ reason }) => reason === 'transfer').length, 3)
})

test('a change of owner that waits for its copy is not overtaken by other work', {
  skip: noRestic,
}, async t => {
  const { fleet, clock, file, lose, find, copies } = await fleetWithStore(t)
  const post = async (work: string, body?: object) =>
    await fleet.admin('POST', `/admin/instances/acme/${work}`, { body, wait: 60 })
  const boots = () => readFileSync(file('boots'), 'utf8')
  const now = async () => (await fleet.admin('GET', '/admin/instances/acme')).body
  const before = boots()
  lose()
  await post('transfer', { owner_email: 'eve@example.com' })
  assert.equal((await now()).operation?.status, 'failed')

  const [copy] = await copies()
  for (const [work, body] of [
    ['upgrade', undefined],
    ['reset-password', undefined],
    ['restore', { backup: copy?.id }],
  ] as const) {
    const { status, body: answer } = await post(work, body)
    assert.equal(status, 409, work)
    assert.match(JSON.stringify(answer), /could not be backed up yet/, work)
  }
  // What starts or stops it repeats the change of owner, from its copy on.
  for (const work of ['restart', 'stop']) {
    const { body } = await post(work)
    assert.deepEqual([body.operation?.kind, body.operation?.status], ['transfer', 'failed'], work)
  }
  assert.equal((await now()).desired, 'stopped')
  const limits = { memory_bytes: 256 * 1024 ** 2 }
  await fleet.admin('PUT', '/admin/instances/acme/limits', { body: limits })
  const { operation } = await now()
  clock.advance(600_000)
  await fleet.program.runOnce('provisioner:reconcile')
  await eventually('it was tried again', async () => {
    const last = (await now()).operation
    return last?.id !== operation?.id && last?.status === 'failed'
  })
  assert.equal(boots(), before, 'it was not started')

  // An operator who starts it does so knowingly.
  const { body: started } = await post('start')
  assert.deepEqual([started.operation?.kind, started.status], ['start', 'running'])
  assert.notEqual(boots(), before)
  find()
  assert.equal((await post('restart')).body.operation?.kind, 'restart')
  assert.ok(!(await copies()).some(({ reason, status }) => reason === 'transfer' && status === 'kept'))
})

test('the data of an instance that is removed while it changes owners are copied', {
  skip: noRestic,
}, async t => {
  const { fleet, lose, find, copies } = await fleetWithStore(t)
  lose()
  await fleet.admin('POST', '/admin/instances/acme/transfer', {
    body: { owner_email: 'eve@example.com' },
    wait: 60,
  })
  find()
  const { body } = await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.deepEqual([body.operation?.kind, body.status], ['deprovision', 'deleted'])
  await eventually('it is copied', async () =>
    (await copies()).some(({ reason, status }) => reason === 'transfer' && status === 'kept'),
  )
})
