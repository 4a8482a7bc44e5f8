import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { settleRestore } from '../provisioner/volumes/restored.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

const quiet = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }

/** A stand-in's volume has an empty database: what is restored is its other files. */
async function fleetWithCopy(
  t: Parameters<typeof testFleet>[0],
  options: Parameters<typeof testFleet>[1] = {},
) {
  const fleet = await testFleet(t, { ...options, plugins: [backup], env: { ...quiet, ...options.env } })
  await fleet.provision('acme')
  const file = (name: string) => join(fleet.root, 'acme', name)
  const copy = async () => {
    const { status, body } = await fleet.admin<WireBackup>('POST', '/admin/instances/acme/backup', {
      wait: 60,
    })
    assert.equal(status, 201, JSON.stringify(body))
    return body
  }
  const restore = async (id: string) =>
    (await fleet.admin('POST', '/admin/instances/acme/restore', { body: { backup: id }, wait: 100 })).body
  return { fleet, file, copy, restore }
}

test('a copy that an instance does not start on is taken out again, and the previous data are back', async t => {
  const { fleet, file, copy, restore } = await fleetWithCopy(t)
  fleet.behave('acme', 'crash')
  const bad = await copy()
  fleet.behave('acme', 'well')
  writeFileSync(file('precious'), 'made after the copy')

  const { status, operation } = await restore(bad.id)
  assert.equal(operation?.status, 'failed')
  assert.match(operation?.error ?? '', /^start container: .*(ended|line two of the disaster)/s)
  assert.match(operation?.error ?? '', /What it did was undone\.$/)
  assert.equal(status, 'running')
  assert.equal(readFileSync(file('precious'), 'utf8'), 'made after the copy')
  const names = operation?.steps.map(({ name, status }) => `${name}: ${status}`) ?? []
  assert.ok(names.includes('put back data: done'), names.join())
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('a copy that cannot be read changes nothing, and the instance runs on', async t => {
  const { fleet, file, copy, restore } = await fleetWithCopy(t)
  const good = await copy()
  writeFileSync(file('later'), 'x')
  renameSync(join(fleet.root, '.control/backups'), join(fleet.root, '.control/elsewhere'))
  const boots = readFileSync(file('boots'), 'utf8')
  const { status, operation } = await restore(good.id)
  assert.match(operation?.error ?? '', /^fetch copy: restic snapshots failed/)
  assert.equal(status, 'running')
  assert.equal(readFileSync(file('boots'), 'utf8'), boots, 'it was not even stopped')

  const failed = await fleet.admin<{ type: string; detail: string }>('POST', '/admin/instances/acme/backup', {
    wait: 60,
  })
  assert.equal(failed.status, 502)
  assert.match(failed.body.detail, /The instance and its other copies are unchanged\.$/)
  renameSync(join(fleet.root, '.control/elsewhere'), join(fleet.root, '.control/backups'))
  assert.equal((await restore(good.id)).operation?.status, 'succeeded')
  assert.ok(!existsSync(file('later')))
})

test('a volume that is lost is restored, and a purge leaves a copy behind', async t => {
  const { fleet, file, copy, restore } = await fleetWithCopy(t)
  writeFileSync(file('precious'), 'x')
  const good = await copy()
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  renameSync(join(fleet.root, 'acme'), join(fleet.root, '.control/lost'))
  assert.equal((await restore(good.id)).operation?.status, 'succeeded')
  assert.equal(readFileSync(file('precious'), 'utf8'), 'x')

  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted')
  const kept = purged.body.operation?.steps.find(({ name }) => name === 'copy data')
  assert.match(kept?.detail ?? '', /^copy_/)
  assert.ok(!existsSync(join(fleet.root, 'acme')))
})

test('a restore that ended between its two renames is settled: the previous volume is put back', async t => {
  const { fleet, file } = await fleetWithCopy(t)
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const { body } = await fleet.admin('GET', '/admin/instances/acme')
  writeFileSync(file('precious'), 'x')
  const base = join(fleet.root, '.control/restores', body.id)
  mkdirSync(join(base, 'fresh'), { recursive: true })
  renameSync(join(fleet.root, 'acme'), join(base, 'previous'))
  assert.equal(await settleRestore(fleet.root, { id: 'inst_other', subdomain: 'acme' }), false)
  const { body: started } = await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal(started.status, 'running')
  assert.equal(readFileSync(file('precious'), 'utf8'), 'x')
})
