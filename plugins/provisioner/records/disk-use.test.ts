import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setClock } from '../../../src/testing/clock.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { testFleet } from '../fleet.fixture.ts'
import { instanceConcerns } from './concerns.ts'
import { diskUseOf, Measurements } from './disk-use.ts'
import { diskMetrics } from './metrics.ts'
import { testRecords } from './records.fixture.ts'

const mebibyte = 1024 ** 2

test('volumes are measured now and then; those short of space are a concern, by how short', async t => {
  const fleet = { ...testRecords(t), diskBytes: 10 * mebibyte }
  const made = [5, 9, 10, 12].map(mebibytes => {
    const instance = fleet.add({ readyAt: 0 })
    const folder = join(fleet.site.dataRoot, instance.subdomain)
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), Buffer.alloc(mebibytes * mebibyte, 1))
    return instance
  })
  const measurements = new Measurements()
  const missing = fleet.add({ readyAt: 0 })
  const larger = fleet.add({ readyAt: 0, diskBytes: 100 * mebibyte })
  mkdirSync(join(fleet.site.dataRoot, larger.subdomain))
  await measurements.round(fleet, new AbortController().signal)

  const [well, low] = made.map(instance => diskUseOf(fleet, instance))
  assert.ok((well?.usedBytes ?? 0) >= 5 * mebibyte && (well?.usedBytes ?? 0) < 6 * mebibyte)
  assert.equal(low?.limitBytes, 10 * mebibyte)
  assert.deepEqual(diskUseOf(fleet, missing), {
    usedBytes: null,
    limitBytes: 10 * mebibyte,
    quotaBytes: null,
    measuredAt: null,
  })
  assert.equal(diskUseOf(fleet, larger).limitBytes, 100 * mebibyte)
  const concerns = instanceConcerns(fleet).map(({ kind, subdomain, urgency }) => [kind, subdomain, urgency])
  assert.deepEqual(concerns, [
    ['instance-disk-low', 'box-2', 'notice'],
    ['instance-disk-full', 'box-3', 'alert'],
    ['instance-disk-full', 'box-4', 'alert'],
  ])
  assert.deepEqual(diskMetrics(fleet)[1]?.samples, [
    [{ level: 'low' }, 1],
    [{ level: 'full' }, 2],
  ])

  // It is not measured again at once.
  writeFileSync(join(fleet.site.dataRoot, 'box-1', 'more'), Buffer.alloc(5 * mebibyte, 1))
  await measurements.round(fleet, new AbortController().signal)
  assert.equal(instanceConcerns(fleet).length, 3)
  fleet.clock.advance(5 * 60_000)
  await measurements.round(fleet, new AbortController().signal)
  assert.equal(instanceConcerns(fleet).length, 4)
})

test('a volume that cannot be measured in time keeps no other from its turn, and is a concern until it can', async t => {
  const clock = setClock()
  const fleet = { ...testRecords(t), clock }
  const stuck = fleet.add({ readyAt: 0 })
  const well = fleet.add({ readyAt: 0 })
  for (const { subdomain } of [stuck, well]) mkdirSync(join(fleet.site.dataRoot, subdomain))
  // Stands in for du on a disk that does not answer.
  const programs = temporaryFolder(t)
  const { PATH = '' } = process.env
  writeFileSync(
    join(programs, 'du'),
    `#!/bin/sh\ncase "$*" in *${stuck.subdomain}) exec sleep 600;; esac\nPATH='${PATH}'\nexec du "$@"\n`,
    { mode: 0o755 },
  )
  process.env.PATH = `${programs}:${PATH}`
  t.after(() => {
    process.env.PATH = PATH
  })
  // The one that is stuck fills a round.
  const measurements = new Measurements({ roundMs: 100, longestMs: 3000 })
  for (let time = 0; time < 2; time++) await measurements.round(fleet, new AbortController().signal)
  assert.equal(diskUseOf(fleet, stuck).usedBytes, null)
  assert.notEqual(diskUseOf(fleet, well).usedBytes, null)
  const [concern, ...more] = measurements.concerns(fleet)
  assert.deepEqual(
    [concern?.kind, concern?.subdomain, more.length],
    ['instance-disk-unknown', stuck.subdomain, 0],
  )
  assert.match(concern?.detail ?? '', /took longer than 3 seconds/)

  process.env.PATH = PATH
  clock.advance(5 * 60_000)
  await measurements.round(fleet, new AbortController().signal)
  assert.deepEqual(measurements.concerns(fleet), [])
})

test('a volume whose disk seems as large as the quota for its limit is shown as bounded by it', async t => {
  const fleet = { ...testRecords(t), diskBytes: 64 * mebibyte }
  const [bounded, watched] = [fleet.add({ readyAt: 0 }), fleet.add({ readyAt: 0 })]
  const disk = smallDisk(t, { mebibytes: 128, files: 1000 })
  if (!disk) return
  symlinkSync(disk.dir, join(fleet.site.dataRoot, bounded.subdomain))
  mkdirSync(join(fleet.site.dataRoot, watched.subdomain))
  const measurements = new Measurements()
  const look = async () => {
    fleet.clock.advance(5 * 60_000)
    await measurements.round(fleet, new AbortController().signal)
    return [bounded, watched].map(instance => diskUseOf(fleet, instance).quotaBytes)
  }
  assert.deepEqual(await look(), [128 * mebibyte, null])
  fleet.diskBytes = 100 * mebibyte
  assert.equal(diskUseOf(fleet, bounded).quotaBytes, null, 'the quota of another limit')
  assert.deepEqual(await look(), [null, null])
})

test('limits are shown with the use, in the API and on the page; they come from the settings or the plan', async t => {
  const fleet = await testFleet(t, { env: { INSTANCE_DISK: '2g', INSTANCE_RUNS: '3' } })
  const { body } = await fleet.provision('acme')
  const usual = { memory_bytes: 512 * mebibyte, cpus: 1, processes: 256, runs_at_once: 3 }
  assert.deepEqual(body.limits, { ...usual, disk_bytes: 2048 * mebibyte })
  fleet.program.services.provisioner?.limit(body.id, { diskBytes: 100 * mebibyte, pids: 64 })
  const { body: limited } = await fleet.admin('GET', '/admin/instances/acme')
  assert.deepEqual(limited.limits, { ...usual, disk_bytes: 100 * mebibyte, processes: 64 })
  assert.equal(limited.operation?.kind, 'restart')
})
