import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { claimVolume } from '../../../../src/storage/volume-identity.ts'
import { temporaryFolder } from '../../../../src/testing/folder.ts'
import { skipReason, socketPath, testbed } from './testbed.fixture.ts'

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

test('work that is ended before its container runs does nothing, and an engine that refuses leaves none behind', {
  skip,
}, async t => {
  const seen: { attach: () => 'refuse' | 'pass' } = { attach: () => 'pass' }
  const proxy = await engineBehind(t, path => (path.includes('/attach') ? seen.attach() : 'pass'))
  const { driver, spec, docker } = await testbed({ socketPath: proxy })
  const [one, two] = [spec('packed'), spec('unpacked')]
  for (const each of [one, two]) await driver.prepareVolume(each)
  writeFileSync(join(one.volume, 'notes.txt'), 'precious')
  const output = new PassThrough()
  const packing = driver
    .workOnFolder({
      ...{ image, command: 'pack', folder: one.volume, output },
      signal: AbortSignal.timeout(120_000),
    })
    .finally(() => output.end())
  const [pieces] = await Promise.all([Array.fromAsync(output), packing])
  const unpack = (signal: AbortSignal) =>
    driver.workOnFolder({
      ...{ image, command: 'unpack', folder: two.volume, signal },
      input: Readable.from([Buffer.concat(pieces)]),
    })
  const left = async () => {
    const all = await docker.listContainers({
      all: true,
      filters: { label: [`longhouse.work=${two.volume}`] },
    })
    return [all.map(({ State }) => State), readdirSync(two.volume)]
  }
  await assert.rejects(unpack(AbortSignal.abort()), /could not unpack .*: it was ended/)
  assert.deepEqual(await left(), [[], []])

  const end = new AbortController()
  seen.attach = () => {
    end.abort()
    return 'pass'
  }
  await assert.rejects(unpack(end.signal), /could not unpack .*: it was ended/)
  assert.deepEqual(await left(), [[], []])

  seen.attach = () => 'refuse'
  await assert.rejects(unpack(AbortSignal.timeout(120_000)), /could not attach to a container/)
  assert.deepEqual(await left(), [[], []])
  seen.attach = () => 'pass'
  await unpack(AbortSignal.timeout(120_000))
  assert.deepEqual(await left(), [[], ['notes.txt']])
})

/** A socket that leads to the engine. `judge` gets the path of each request. */
async function engineBehind(t: TestContext, judge: (path: string) => 'refuse' | 'pass'): Promise<string> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, client => {
    const engine = connect({ path: socketPath, allowHalfOpen: true })
    for (const each of [client, engine]) {
      open.add(each)
      each.on('error', () => {})
      each.on('close', () => open.delete(each))
    }
    client.on('data', piece => {
      const path = /^[A-Z]+ (\S+) HTTP\/1\.1\r\n/.exec(piece.toString('latin1'))?.[1]
      if (path !== undefined && judge(path) === 'refuse')
        client.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      else engine.write(piece)
    })
    client.on('end', () => engine.end())
    engine.pipe(client)
  })
  const path = join(temporaryFolder(t), 'engine.sock')
  server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const each of open) each.destroy()
  })
  return path
}

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
