import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { Spool } from './spool.ts'

const mib = 1024 ** 2
const never = new AbortController().signal

async function bytesOf(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray())
}

test('what is received is read as often as wanted, and leaves no file', async t => {
  const folder = temporaryFolder(t)
  const bytes = randomBytes(3 * mib)
  const received = await new Spool(folder).receive(
    Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]),
    never,
  )
  for (let time = 0; time < 2; time++) assert.ok((await bytesOf(received.read())).equals(bytes))
  for await (const piece of received.read()) if (piece.length > 0) break
  await received.close()
  assert.deepEqual(readdirSync(folder), [])
  const broken = Readable.from(
    (async function* () {
      yield bytes
      throw new Error('the client has gone')
    })(),
  )
  await assert.rejects(new Spool(folder).receive(broken, never), /the client has gone/)
})

test('on a disk without room, an archive is refused, and one that is fetched goes as fast as it is read', async t => {
  const disk = smallDisk(t, { mebibytes: 32 })
  if (!disk) return
  const spool = new Spool(join(disk.dir, 'archives'))
  const { bavail, bsize } = statfsSync(disk.dir)
  writeFileSync(join(disk.dir, 'filler'), Buffer.alloc(bavail * bsize - 8 * mib))
  const bytes = randomBytes(20 * mib)
  const pieces = () =>
    Readable.from(Array.from({ length: 320 }, (_, at) => bytes.subarray(at * 65_536, (at + 1) * 65_536)))
  await assert.rejects(spool.receive(pieces(), never), { code: 'ENOSPC' })
  const between = await spool.between()
  const [got] = await Promise.all([bytesOf(between), pipeline(pieces(), between)])
  assert.ok(got.equals(bytes))
  const given = await spool.between()
  const writing = pipeline(pieces(), given)
  given.once('data', () => given.destroy())
  await assert.rejects(writing)
})
