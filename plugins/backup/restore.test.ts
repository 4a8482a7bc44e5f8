import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { noRestic } from '../../src/testing/restic.ts'
import { smallDisk } from '../../src/testing/small-disk.ts'
import { DriverError, type InstanceSpec } from '../provisioner/driver.ts'
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

test('a copy that an instance does not start on is taken out again, and the previous data are back', {
  skip: noRestic,
}, async t => {
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

test('a copy that cannot be read changes nothing, and the instance runs on', { skip: noRestic }, async t => {
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
  assert.match(failed.body.detail, /The instance and its other backups are unchanged\.$/)
  renameSync(join(fleet.root, '.control/elsewhere'), join(fleet.root, '.control/backups'))
  assert.equal((await restore(good.id)).operation?.status, 'succeeded')
  assert.ok(!existsSync(file('later')))
})

test('a volume that is a disk of its own is restored in place, and a restore that fails leaves it as it was', {
  skip: noRestic,
}, async t => {
  const disk = smallDisk(t, { mebibytes: 8 })
  if (!disk) return
  const root = mkdtempSync(join(tmpdir(), 'longhouse-disk-'))
  const volume = join(root, 'acme')
  mkdirSync(volume)
  execFileSync('mount', ['--bind', disk.dir, volume])
  t.after(() => {
    execFileSync('umount', ['--lazy', volume])
    rmSync(root, { recursive: true })
  })
  const { fleet, file, copy, restore } = await fleetWithCopy(t, { root })
  writeFileSync(file('precious'), 'of then')
  const good = await copy()
  fleet.behave('acme', 'crash')
  const bad = await copy()
  fleet.behave('acme', 'well')
  writeFileSync(file('precious'), 'of now')
  writeFileSync(file('later'), 'x')

  const failed = await restore(bad.id)
  assert.match(failed.operation?.error ?? '', /What it did was undone\.$/)
  assert.deepEqual([failed.status, readFileSync(file('precious'), 'utf8')], ['running', 'of now'])
  assert.equal(existsSync(file('later')), true)
  const { status, operation } = await restore(good.id)
  assert.deepEqual([status, operation?.error ?? null], ['running', null])
  assert.deepEqual([readFileSync(file('precious'), 'utf8'), existsSync(file('later'))], ['of then', false])
  assert.equal(statSync(volume).dev, statSync(disk.dir).dev, 'on its disk still')
})

test('a volume that is lost is restored, and a purge leaves a copy behind', { skip: noRestic }, async t => {
  // As an engine does: no container is made for a volume that is not there.
  const prepareSuccessor = async ({ volume }: InstanceSpec) => {
    if (!existsSync(volume)) throw new DriverError(`${volume} does not exist`, { permanent: true })
  }
  const { fleet, file, copy, restore } = await fleetWithCopy(t, {
    driver: real => ({ ...real, prepareSuccessor }),
  })
  writeFileSync(file('precious'), 'x')
  const good = await copy()
  for (const before of ['stop', 'start']) {
    await fleet.admin('POST', `/admin/instances/acme/${before}`, { wait: 60 })
    renameSync(join(fleet.root, 'acme'), join(fleet.root, `.control/lost-${before}`))
    const { operation } = await restore(good.id)
    assert.deepEqual([operation?.status, operation?.error], ['succeeded', null])
    assert.equal(readFileSync(file('precious'), 'utf8'), 'x')
  }

  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted')
  const kept = purged.body.operation?.steps.find(({ name }) => name === 'copy data')
  assert.match(kept?.detail ?? '', /^copy_/)
  assert.ok(!existsSync(join(fleet.root, 'acme')))
})

test('a restore that ended between its two renames is settled: the previous volume is put back', {
  skip: noRestic,
}, async t => {
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
  assert.ok(!existsSync(base), 'what was left of it goes once the instance runs')
})

test('on a full disk no copy is half made and no restore half done; instances run on', {
  skip: noRestic,
}, async t => {
  const [disk, storeDisk] = [smallDisk(t, { mebibytes: 48 }), smallDisk(t, { mebibytes: 48 })]
  if (!disk || !storeDisk) return
  const env = { BACKUP_STORE: join(storeDisk.dir, 'store') }
  const { fleet, file, copy, restore } = await fleetWithCopy(t, { root: disk.dir, env })
  writeFileSync(file('large'), randomBytes(12 * 1024 ** 2))
  const good = await copy()
  const boots = readFileSync(file('boots'), 'utf8')

  const room = (dir: string) => statfsSync(dir).bavail * statfsSync(dir).bsize
  const fill = (dir: string, leftBytes: number) =>
    writeFileSync(join(dir, 'filler'), Buffer.alloc(room(dir) - leftBytes))
  fill(disk.dir, 6 * 1024 ** 2)
  const { status, operation } = await restore(good.id)
  assert.match(operation?.error ?? '', /^fetch copy: .*(no space left|ENOSPC)/)
  assert.equal(status, 'running')
  assert.equal(readFileSync(file('boots'), 'utf8'), boots, 'it was not stopped')
  assert.ok(room(disk.dir) > 4 * 1024 ** 2, 'what was unpacked is deleted')
  rmSync(join(disk.dir, 'filler'))

  fill(storeDisk.dir, 2 * 1024 ** 2)
  writeFileSync(file('large'), randomBytes(12 * 1024 ** 2))
  const failed = await fleet.admin<{ detail: string }>('POST', '/admin/instances/acme/backup', { wait: 100 })
  assert.equal(failed.status, 502)
  assert.match(failed.body.detail, /no space left on device/)
  // A restore copies the current data first; where that fails, nothing is replaced.
  const current = readFileSync(file('large'))
  const { operation: second } = await restore(good.id)
  assert.match(second?.error ?? '', /^copy data: no backup could be made, so nothing was changed/)
  assert.ok(readFileSync(file('large')).equals(current))
  assert.equal((await fleet.visit('acme')).status, 200)
  rmSync(join(storeDisk.dir, 'filler'))
  assert.equal((await restore(good.id)).operation?.status, 'succeeded')
})
