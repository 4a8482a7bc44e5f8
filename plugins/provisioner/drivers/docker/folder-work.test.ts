import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { claimVolume } from '../../../../src/storage/volume-identity.ts'
import { skipReason, testbed } from './testbed.fixture.ts'

const skip = await skipReason()
const image = process.env.LONGHOUSE_TEST_IMAGE ?? ''

test('a volume is copied and restored in containers that have nothing but its folder', { skip }, async t => {
  const { driver, spec, docker } = await testbed()
  const signal = AbortSignal.timeout(120_000)
  const one = spec('one')
  const two = spec('two')
  for (const each of [one, two]) await driver.prepareVolume(each)
  mkdirSync(join(one.volume, 'jobs'))
  writeFileSync(join(one.volume, 'jobs/manifest.ts'), 'x'.repeat(3_000_000))
  await claimVolume(one.volume, one.id, null)
  await driver.prepareVolume(one)

  const output = new PassThrough()
  const work = { image, signal }
  const [pieces, packed] = await Promise.all([
    Array.fromAsync(output),
    driver.workOnFolder({ ...work, command: 'pack', folder: one.volume, output }).finally(() => output.end()),
  ])
  const archive = Buffer.concat(pieces)
  assert.ok(archive.length > 3_000_000)
  const unpack = (bytes: Buffer, folder: string) =>
    driver.workOnFolder({ ...work, command: 'unpack', folder, input: Readable.from([bytes]) })
  assert.deepEqual(await unpack(archive, two.volume), packed)
  assert.deepEqual(readdirSync(join(two.volume, 'jobs')), ['manifest.ts'])

  await assert.rejects(unpack(archive, two.volume), /\/data is not empty/)
  const three = spec('three')
  await driver.prepareVolume(three)
  await assert.rejects(unpack(archive.subarray(0, 2_000_000), three.volume), /could not unpack/)

  await t.test('work that is ended leaves no container behind', async () => {
    const end = new AbortController()
    const endless = new Readable({ read: () => end.abort() })
    const four = spec('four')
    await driver.prepareVolume(four)
    const working = driver.workOnFolder({
      ...{ image, command: 'unpack', folder: four.volume, input: endless },
      signal: end.signal,
    })
    await assert.rejects(working)
  })
  const left = await docker.listContainers({ all: true, filters: { label: ['longhouse.work'] } })
  assert.deepEqual(
    left.filter(({ Mounts }) => Mounts.some(({ Source }) => Source.startsWith(one.volume.slice(0, -10)))),
    [],
  )
})

test('work in a container that makes no progress is ended in words, and leaves none behind', {
  skip,
}, async () => {
  const { driver, spec, docker } = await testbed({ folderIdleMs: 3000 })
  const signal = AbortSignal.timeout(120_000)
  const one = spec('idle')
  await driver.prepareVolume(one)
  await assert.rejects(
    driver.workOnFolder({
      ...{ image, signal, command: 'unpack', folder: one.volume },
      input: new Readable({ read() {} }),
    }),
    /could not unpack .*: it was ended, because what it reads did not arrive for 3 seconds/,
  )
  mkdirSync(join(one.volume, 'jobs'))
  writeFileSync(join(one.volume, 'jobs/manifest.ts'), 'x'.repeat(9_000_000))
  await assert.rejects(
    driver.workOnFolder({
      ...{ image, signal, command: 'pack', folder: one.volume },
      output: new PassThrough(),
    }),
    /could not pack .*: it was ended, because what it writes was not taken for 3 seconds/,
  )
  const left = await docker.listContainers({ all: true, filters: { label: ['longhouse.work'] } })
  assert.ok(!left.some(({ Mounts }) => Mounts.some(({ Source }) => Source === one.volume)))
})
