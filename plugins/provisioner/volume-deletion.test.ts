import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { smallDisk } from '../../src/testing/small-disk.ts'
import { testFleet } from './fleet.fixture.ts'

test('a volume that is a mount point is emptied in place, and whoever has the name next gets it empty', async t => {
  const root = temporaryFolder(t)
  const volume = join(root, 'acme')
  const fleet = await testFleet(t, { root })
  if (!smallDisk(t, { mebibytes: 8, at: volume })) return
  await fleet.provision('acme')
  mkdirSync(join(volume, 'deep', 'er'), { recursive: true })
  writeFileSync(join(volume, 'deep', 'er', 'precious'), 'data')

  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted', purged.body.status_reason ?? '')
  assert.match(
    purged.body.operation?.steps.at(-1)?.detail ?? '',
    new RegExp(`emptied; ${volume} is a mount point and stays`),
  )
  assert.deepEqual(readdirSync(volume), [])
  assert.equal((await fleet.provision('acme', 'eve@example.com')).body.status, 'running')
  await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
})

test('a disk that is mounted within a volume is emptied with it', async t => {
  const root = temporaryFolder(t)
  const fleet = await testFleet(t, { root })
  await fleet.provision('acme')
  const within = join(root, 'acme', 'big')
  // Its place moves with the volume's folder, where it has to be unmounted from.
  const grave = join(root, '.control', 'trash', (await fleet.admin('GET', '/admin/instances/acme')).body.id)
  mkdirSync(join(root, '.control', 'trash'), { recursive: true })
  const disk = smallDisk(t, { mebibytes: 8, at: within })
  if (!disk) return
  writeFileSync(join(within, 'precious'), 'data')
  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted', purged.body.status_reason ?? '')
  assert.equal(existsSync(join(root, 'acme')), false)
  assert.deepEqual(readdirSync(join(grave, 'big')), [])
})

test('what is not there is purged, and the journal says that there was none', async t => {
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareImage: async () => {
        throw new Error('no image')
      },
    }),
  })
  await fleet.provision('acme')
  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.operation?.steps.at(-1)?.detail, 'there was none')
})
