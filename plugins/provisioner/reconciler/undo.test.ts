import assert from 'node:assert/strict'
import { readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { DriverError } from '../driver.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'
import { withImages } from '../images.fixture.ts'

const minute = 60_000

/** Passes time until the instance runs again, after the operator fixed the cause. */
async function runsAgain(fleet: TestFleet, clock: ReturnType<typeof setClock>) {
  return await eventually('it runs again', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/acme')
    const isOver = body.operation?.finished_at != null
    if (isOver && body.status === 'running') return body
    // Not while it is at work: its own time limits count as well.
    if (isOver) clock.advance(11 * minute)
    await fleet.program.runOnce('provisioner:reconcile')
    return false
  })
}

test('an upgrade that could not be undone is undone as soon as that is possible, before anything else starts', async t => {
  const clock = setClock()
  let full = true
  const started: string[] = []
  const fleet = await testFleet(t, {
    clock,
    driver: real => ({
      ...withImages(real, {
        start: ({ image }, volume) => {
          started.push(image)
          if (image !== 'runtime:2') return
          writeFileSync(join(volume, 'precious'), 'migrated')
          writeFileSync(join(volume, 'behave'), 'crash')
        },
      }),
      workOnFolder: async work => {
        if (full) throw new DriverError('the disk is full', { permanent: false, code: 'ENOSPC' })
        return await real.workOnFolder(work)
      },
    }),
  })
  const before = (await fleet.provision('acme')).body
  const file = (name: string) => join(fleet.root, 'acme', name)
  writeFileSync(file('precious'), 'of before')
  const failed = (
    await fleet.admin('POST', '/admin/instances/acme/upgrade', { body: { image: 'runtime:2' }, wait: 60 })
  ).body
  assert.deepEqual([failed.status, failed.operation?.status], ['failed', 'failed'])
  assert.match(
    failed.operation?.error ?? '',
    /^start container: .*\nUndoing failed too: put back image and data: the disk is full\nNothing was deleted, and it is retried\./s,
  )
  clock.advance(11 * minute)
  await fleet.program.runOnce('provisioner:reconcile')
  assert.deepEqual(started.slice(1), ['runtime:2'], 'nothing runs on what is to be undone')

  const again = (await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })).body
  assert.deepEqual([again.status, again.operation?.id], ['failed', failed.operation?.id])
  assert.equal(again.operation?.error, failed.operation?.error)
  assert.deepEqual(started.slice(1), ['runtime:2'], 'nor when a person starts it')

  full = false
  const after = await runsAgain(fleet, clock)
  assert.deepEqual([after.image_id, readFileSync(file('precious'), 'utf8')], [before.image_id, 'of before'])
  assert.deepEqual([after.operation?.kind, after.operation?.id], ['upgrade', failed.operation?.id])
  const error = after.operation?.error ?? ''
  assert.match(error, /The previous image and data are back\.$/)
  assert.doesNotMatch(error, /Undoing failed/)
  assert.equal((await fleet.visit('acme')).status, 200)
})

/** What is free on the disk from the moment at which the upgrade stops nothing yet, in bytes: less than the data, and more. */
const rooms = [0, 4096, 20_000, 100_000, 300_000, 500_000, 1_100_000]

for (const version of ['works', 'crashes'])
  test(`a disk that fills up at any write of an upgrade to a version that ${version} loses nothing`, {
    timeout: 600_000,
  }, async t => {
    const disk = smallDisk(t, { mebibytes: 24 })
    if (!disk) return
    const clock = setClock()
    const filler = join(disk.dir, 'filler')
    let room: number | null = null
    const fleet = await testFleet(t, {
      root: disk.dir,
      clock,
      driver: real => ({
        ...withImages(real, {
          start: ({ image }, volume) => {
            if (!image.startsWith('runtime:new')) return
            writeFileSync(join(volume, 'migrated'), image)
            if (version === 'crashes') writeFileSync(join(volume, 'behave'), 'crash')
          },
        }),
        prepareSuccessor: async spec => {
          await real.prepareSuccessor(spec)
          if (room === null || !spec.image.startsWith('runtime:new')) return
          const { bavail, bsize } = statfsSync(disk.dir)
          writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - room)))
          room = null
        },
      }),
    })
    await fleet.provision('acme')
    const file = (name: string) => join(disk.dir, 'acme', name)
    writeFileSync(file('migrated'), 'not yet')
    let interrupted = 0
    for (const [index, each] of rooms.entries()) {
      // More each time: what the last upgrade kept makes no room for it.
      const data = Buffer.alloc((index + 1) * 512 * 1024, `${each}`)
      writeFileSync(file('precious'), data)
      const before = (await fleet.admin('GET', '/admin/instances/acme')).body
      const migrated = readFileSync(file('migrated'), 'utf8')
      room = each
      const image = `runtime:new-${each}`
      const { status } = await fleet.admin('POST', '/admin/instances/acme/upgrade', {
        body: { image },
        wait: 3,
      })
      assert.ok(status < 300, `${each}: ${status}`)
      for (let times = 0; times < 3; times++) {
        clock.advance(11 * minute)
        await fleet.program.runOnce('provisioner:reconcile').catch(() => {})
      }
      disk.free()
      const after = await runsAgain(fleet, clock)
      const words = `${each}: ${after.operation?.kind} ${after.operation?.error}`
      assert.equal((await fleet.visit('acme')).status, 200, words)
      assert.ok(readFileSync(file('precious')).equals(data), words)
      const now = [after.image, readFileSync(file('migrated'), 'utf8')]
      const isUpgraded = version === 'works' && after.image === image
      if (!isUpgraded) interrupted++
      assert.deepEqual(now, isUpgraded ? [image, image] : [before.image, migrated], words)
    }
    assert.ok(interrupted > 0, 'the disk was never full')
    t.diagnostic(`${interrupted} of ${rooms.length} were taken back`)
  })
