import assert from 'node:assert/strict'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { pack } from 'tar-stream'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { copyOf } from './copy.fixture.ts'
import { unpackVolume } from './unpack.ts'

const mib = 1024 ** 2
const empty = JSON.stringify({ version: 1, instanceId: null, at: 0, files: [], unread: [] })

test('a copy that was cut off or changed anywhere is refused', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  writeFileSync(join(volume, 'notes.txt'), 'x'.repeat(10_000))
  const { archive } = await copyOf(volume)
  const refusal = async (bytes: Buffer) =>
    await unpackVolume(Readable.from([bytes]), temporaryFolder(t)).then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  assert.equal(await refusal(archive), 'accepted')
  for (const length of [0, 512, 5000, archive.length - 2048])
    assert.notEqual(await refusal(archive.subarray(0, length)), 'accepted', `${length} bytes`)
  const changed = Buffer.from(archive)
  changed[2000] = 0x79
  assert.match(await refusal(changed), /the copy is damaged: notes\.txt differ from the inventory/)
})

test('a copy cannot write outside of its folder', async t => {
  const { pack } = await import('tar-stream')
  for (const header of [
    { name: '../out' },
    { name: '/etc/out' },
    { name: 'a/../../out' },
    { name: 'device', type: 'fifo' as const },
  ]) {
    const archive = pack()
    archive.entry(header, '')
    archive.finalize()
    const folder = join(temporaryFolder(t), 'in')
    mkdirSync(folder)
    await assert.rejects(unpackVolume(Readable.from(archive), folder), /the copy contains/)
  }
})

test('a link is not made through another link', async t => {
  const outside = temporaryFolder(t)
  for (const names of [
    ['d', 'd/x'],
    ['d', 'd/deeper/x'],
    ['a/d', 'a/d/x'],
  ]) {
    const archive = pack()
    archive.entry({ name: 'a', type: 'directory' })
    for (const name of names) archive.entry({ name, type: 'symlink', linkname: outside })
    archive.entry({ name: '.longhouse-copy.json' }, empty)
    archive.finalize()
    const folder = join(temporaryFolder(t), 'in')
    mkdirSync(folder)
    const refusal = /the copy contains .*x, which leads through a link/
    await assert.rejects(unpackVolume(Readable.from(archive), folder), refusal, names.join())
    assert.deepEqual(readdirSync(outside), [])
  }
  const archive = pack()
  archive.entry({ name: 'new/folder/link', type: 'symlink', linkname: '../..' })
  archive.entry({ name: '.longhouse-copy.json' }, empty)
  archive.finalize()
  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from(archive), folder)
  assert.equal(readlinkSync(join(folder, 'new/folder/link')), '../..')
})

test('a sparse file takes no more of the disk after a restore, and cannot make a copy endless', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  const file = await open(join(volume, 'sparse'), 'w')
  await file.write('begin', 0)
  await file.write('middle', 5_000_001)
  await file.truncate(64 * mib)
  await file.close()
  const { archive, inventory } = await copyOf(volume)
  assert.deepEqual(inventory.unread, [])
  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from([archive]), folder)
  const { size, blocks } = statSync(join(folder, 'sparse'))
  assert.equal(size, 64 * mib)
  assert.ok(blocks * 512 < mib, `${blocks * 512} bytes on the disk`)
  assert.deepEqual(readFileSync(join(folder, 'sparse')), readFileSync(join(volume, 'sparse')))

  writeFileSync(join(volume, 'endless'), '')
  truncateSync(join(volume, 'endless'), 2 ** 42)
  const bounded = (await copyOf(volume)).inventory
  assert.deepEqual(
    bounded.files.map(({ path }) => path),
    ['sparse'],
  )
  assert.match(bounded.unread[0]?.reason ?? '', /it is a sparse file: of its 4398046511104 bytes, 0 are/)
})

test('a copy is not unpacked when the disk would be full', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  writeFileSync(join(volume, 'notes.txt'), 'x'.repeat(10_000))
  const { archive } = await copyOf(volume)
  await assert.rejects(
    unpackVolume(Readable.from([archive]), temporaryFolder(t), { reserveBytes: 2 ** 60 }),
    /no space left to unpack the copy: \d+ MiB are free/,
  )
})

test('what has a name that is not UTF-8 is copied byte for byte', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  const bytes = (folder: string, name: string) => Buffer.from(join(folder, name), 'latin1')
  writeFileSync(bytes(volume, 'caf\xe9.txt'), 'coffee')
  mkdirSync(bytes(volume, 'd\xe9r'))
  writeFileSync(bytes(volume, 'd\xe9r/ok.txt'), 'ok')
  symlinkSync(bytes('', 'caf\xe9.txt'), bytes(volume, 'd\xe9r/link'))
  writeFileSync(join(volume, 'café.txt'), 'coffee, too')
  writeFileSync(join(volume, 'caf\\xE9.txt'), 'no coffee')
  make(bytes(volume, 'own\xe9.db'))
  const { archive, inventory } = await copyOf(volume)
  const reasons = inventory.unread.map(({ path, reason }) => `${path}: ${reason}`)
  assert.equal(reasons.length, 1)
  assert.match(reasons[0] ?? '', /^own\\xE9\.db: its name is not UTF-8, and SQLite opens no such file/)

  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from([archive]), folder)
  const text = (name: string) => readFileSync(bytes(folder, name), 'utf8')
  assert.deepEqual(
    [text('caf\xe9.txt'), text('d\xe9r/ok.txt'), text('caf\\xE9.txt')],
    ['coffee', 'ok', 'no coffee'],
  )
  assert.equal(readFileSync(join(folder, 'café.txt'), 'utf8'), 'coffee, too')
  assert.deepEqual(readlinkSync(bytes(folder, 'd\xe9r/link'), 'buffer'), bytes('', 'caf\xe9.txt'))
  assert.deepEqual(readFileSync(bytes(folder, 'own\xe9.db')), readFileSync(bytes(volume, 'own\xe9.db')))
  const names = (of: string) =>
    readdirSync(of, { encoding: 'buffer', recursive: true }).map(each => each.toString('latin1'))
  assert.deepEqual(names(folder).sort(), names(volume).sort())

  function make(place: Buffer) {
    const plain = join(temporaryFolder(t), 'plain.db')
    const database = new Database(plain)
    database.exec('create table orders (id text)')
    database.close()
    writeFileSync(place, readFileSync(plain))
  }
})

test('a path that is not UTF-8 leads out of the folder no more than any other', async t => {
  for (const path of ['../out\xe9', '/tmp/out\xe9', 'a/../../out\xe9']) {
    const archive = pack()
    const pax = { 'LONGHOUSE.path': Buffer.from(path, 'latin1').toString('base64') }
    archive.entry({ name: 'innocent', pax }, 'x')
    archive.finalize()
    const folder = join(temporaryFolder(t), 'in')
    mkdirSync(folder)
    await assert.rejects(unpackVolume(Readable.from(archive), folder), /a path that is not allowed/, path)
  }
})
