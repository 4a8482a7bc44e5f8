import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { testFleet } from '../fleet.fixture.ts'
import { withImages } from '../images.fixture.ts'

/**
 * A fleet whose instance "acme" has a disk of its own for its volume; null where none can be mounted. `start` is called with the
 * volume before version 2 starts.
 */
async function fleetOnOwnDisk(
  t: TestContext,
  start: (volume: string, disk: NonNullable<ReturnType<typeof smallDisk>>) => void,
  { mebibytes = 16, root }: { mebibytes?: number; root?: string } = {},
) {
  const disk = smallDisk(t, { mebibytes })
  if (!disk) return null
  const clock = setClock()
  const dataRoot = root ?? mkdtempSync(join(tmpdir(), 'longhouse-disk-'))
  const volume = join(dataRoot, 'acme')
  const fleet = await testFleet(t, {
    root: dataRoot,
    clock,
    driver: real =>
      withImages(real, {
        start: ({ image }) => {
          if (image === 'runtime:2') start(volume, disk)
        },
      }),
  })
  // Only a part of the disk is mounted: what fills it lies outside of the volume.
  for (const path of [volume, join(disk.dir, 'acme')]) mkdirSync(path)
  execFileSync('mount', ['--bind', join(disk.dir, 'acme'), volume])
  t.after(() => {
    // A data root that is a disk took it along.
    if (root !== undefined) return
    execFileSync('umount', ['--lazy', volume])
    rmSync(dataRoot, { recursive: true })
  })
  const { body: before } = await fleet.provision('acme')
  const ask = async (verb: string, body?: object) =>
    (await fleet.admin('POST', `/admin/instances/acme/${verb}`, { ...(body && { body }), wait: 60 })).body
  const file = (name: string) => join(volume, name)
  mkdirSync(file('packages'))
  writeFileSync(file('packages/large'), 'made again')
  writeFileSync(file('precious'), 'of before')
  return { fleet, clock, disk, before, ask, file, volume }
}

function migrate(volume: string): void {
  writeFileSync(join(volume, 'precious'), 'migrated')
  writeFileSync(join(volume, 'new'), '')
}

test('a failed upgrade of an instance on a disk of its own puts its data back', async t => {
  const there = await fleetOnOwnDisk(t, volume => {
    migrate(volume)
    writeFileSync(join(volume, 'behave'), 'crash')
  })
  if (!there) return
  const { fleet, before, ask, file, volume } = there
  writeFileSync(Buffer.from(`${volume}/caf\xe9`, 'latin1'), 'as it was')
  const failed = await ask('upgrade', { image: 'runtime:2' })
  assert.match(failed.operation?.error ?? '', /^start container: .*The previous image and data are back\.$/s)
  assert.deepEqual([failed.status, failed.image_id], ['running', before.image_id])
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of before')
  assert.deepEqual([existsSync(file('new')), existsSync(file('behave'))], [false, false])
  assert.equal(readFileSync(file('packages/large'), 'utf8'), 'made again', 'it stayed')
  assert.equal(readFileSync(Buffer.from(`${volume}/caf\xe9`, 'latin1'), 'utf8'), 'as it was')
  assert.equal((await fleet.visit('acme')).status, 200)
  for (const left of ['restores', 'upgrades'])
    assert.deepEqual(readdirSync(join(fleet.root, '.control', left)), [])
})

test('an upgraded instance on a disk of its own goes back to the data of before', async t => {
  const there = await fleetOnOwnDisk(t, migrate)
  if (!there) return
  const { fleet, before, ask, file } = there
  assert.equal((await ask('upgrade', { image: 'runtime:2' })).operation?.status, 'succeeded')
  assert.equal(readFileSync(file('precious'), 'utf8'), 'migrated')
  const back = await ask('rollback')
  assert.deepEqual([back.operation?.error, back.operation?.status], [null, 'succeeded'])
  assert.deepEqual([back.status, back.image_id], ['running', before.image_id])
  assert.deepEqual([readFileSync(file('precious'), 'utf8'), existsSync(file('new'))], ['of before', false])
  assert.deepEqual(readdirSync(join(fleet.root, '.control', 'restores')), [])
})

test('a disk that fills up while the data of before are put back on it loses nothing', async t => {
  const data = Buffer.alloc(4 * 1024 ** 2, 'x')
  const there = await fleetOnOwnDisk(t, (volume, disk) => {
    rmSync(join(volume, 'precious'))
    writeFileSync(join(volume, 'new'), '')
    writeFileSync(join(volume, 'behave'), 'crash')
    disk.fill()
  })
  if (!there) return
  const { fleet, clock, disk, before, ask, file } = there
  writeFileSync(file('precious'), data)
  const failed = await ask('upgrade', { image: 'runtime:2' })
  assert.equal(failed.status, 'failed')
  assert.match(
    failed.operation?.error ?? '',
    /Undoing failed too: put back image and data: .*could not be copied: ENOSPC.*\nNothing was deleted/s,
  )
  assert.equal((await ask('start')).status, 'failed', 'nothing starts on half of the data')
  disk.free()
  const after = await eventually('it runs again', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/acme')
    const isOver = body.operation?.finished_at != null
    if (isOver && body.status === 'running') return body
    if (isOver) clock.advance(11 * 60_000)
    await fleet.program.runOnce('provisioner:reconcile')
    return false
  })
  assert.equal(after.image_id, before.image_id)
  assert.match(after.operation?.error ?? '', /The previous image and data are back\.$/)
  assert.ok(readFileSync(file('precious')).equals(data))
  assert.equal(existsSync(file('new')), false)
})

test('a disk that was being filled when the program was killed gets the data of before back at the next start', async t => {
  const there = await fleetOnOwnDisk(t, () => {})
  if (!there) return
  const { fleet, before, ask, file, volume } = there
  await ask('stop')
  const folder = join(fleet.root, '.control', 'restores', before.id)
  cpSync(volume, join(folder, 'previous'), { recursive: true })
  cpSync(volume, join(folder, 'fresh'), { recursive: true })
  writeFileSync(join(folder, 'filling'), '')
  for (const name of ['precious', 'longhouse.db']) rmSync(file(name))
  writeFileSync(file('of-the-copy'), '')
  const started = await ask('start')
  assert.equal(started.status, 'running', started.status_reason ?? '')
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of before')
  assert.equal(existsSync(file('of-the-copy')), false)
})

test('an upgrade is refused before anything stops when there is no room to keep the data of a disk of its own', async t => {
  const rootDisk = smallDisk(t, { mebibytes: 8 })
  if (!rootDisk) return
  const there = await fleetOnOwnDisk(t, () => assert.fail('it was started'), { root: rootDisk.dir })
  if (!there) return
  const { fleet, before, ask, file } = there
  const boots = readFileSync(file('boots'), 'utf8')
  writeFileSync(file('precious'), Buffer.alloc(10 * 1024 ** 2, 'x'))
  const refused = await ask('upgrade', { image: 'runtime:2' })
  assert.match(
    refused.operation?.error ?? '',
    /^check volume: .*is a disk of its own.*they take 10 MiB, and there is room for \d/,
  )
  assert.deepEqual([refused.status, refused.image_id], ['running', before.image_id])
  assert.deepEqual([readFileSync(file('boots'), 'utf8'), (await fleet.visit('acme')).status], [boots, 200])
})
