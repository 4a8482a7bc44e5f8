import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

/** A fleet with a disk mounted below its data root; null where none can be mounted. `later` is where it is in the end. */
async function fleetWithDisk(
  t: TestContext,
  place: (fleet: TestFleet) => Promise<{ at: string; later: string }>,
): Promise<TestFleet | null> {
  const disk = smallDisk(t, { mebibytes: 8 })
  if (!disk) return null
  const fleet = await testFleet(t, { root: mkdtempSync(join(tmpdir(), 'longhouse-disk-')) })
  const { at, later } = await place(fleet)
  mkdirSync(at, { recursive: true })
  execFileSync('mount', ['--bind', disk.dir, at])
  t.after(() => {
    execFileSync('umount', ['--lazy', later])
    rmSync(fleet.root, { recursive: true })
  })
  return fleet
}

test('a volume that is a mount point is emptied in place, and the next instance of the name gets it empty', async t => {
  const fleet = await fleetWithDisk(t, async ({ root }) => ({
    at: join(root, 'acme'),
    later: join(root, 'acme'),
  }))
  if (!fleet) return
  const volume = join(fleet.root, 'acme')
  await fleet.provision('acme')
  mkdirSync(join(volume, 'deep', 'er'), { recursive: true })
  writeFileSync(join(volume, 'deep', 'er', 'precious'), 'data')
  // A tenant's names need not be UTF-8.
  for (const folder of [volume, join(volume, 'deep')]) mkdirSync(Buffer.from(`${folder}/caf\xe9`, 'latin1'))

  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted', purged.body.status_reason ?? '')
  const detail = purged.body.operation?.steps.at(-1)?.detail ?? ''
  assert.match(detail, new RegExp(`emptied; ${volume} is a mount point and stays`))
  assert.deepEqual(readdirSync(volume), [])
  assert.equal((await fleet.provision('acme', 'eve@example.com')).body.status, 'running')
  await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
})

test('a disk mounted inside a volume is emptied with it', async t => {
  let grave = ''
  const fleet = await fleetWithDisk(t, async ({ root, provision }) => {
    const { body } = await provision('acme')
    grave = join(root, '.control', 'trash', body.id)
    return { at: join(root, 'acme', 'big'), later: join(grave, 'big') }
  })
  if (!fleet) return
  writeFileSync(join(fleet.root, 'acme', 'big', 'precious'), 'data')
  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted', purged.body.status_reason ?? '')
  assert.equal(existsSync(join(fleet.root, 'acme')), false)
  assert.deepEqual(readdirSync(join(grave, 'big')), [])
})

test('a purge without a volume succeeds, and the journal says that there was none', async t => {
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
