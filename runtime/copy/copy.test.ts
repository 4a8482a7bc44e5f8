import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openSqlite } from '../../src/storage/database.ts'
import { claimVolume } from '../../src/storage/volume-identity.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { startRuntime } from '../program.ts'
import { copyOf } from './copy.fixture.ts'
import { packVolume } from './pack.ts'
import { proveVolume } from './proof.ts'
import { settleVolume } from './settle.ts'
import { unpackVolume } from './unpack.ts'

test('a copy has every record and every file, and not what is made again', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(join(volume, 'jobs/.git/objects/pack'), { recursive: true })
  for (const name of ['packages', 'cache', 'runs']) mkdirSync(join(volume, name))
  writeFileSync(join(volume, 'packages/large'), 'made again')
  writeFileSync(join(volume, 'runs/run_1.log'), 'a line\n')
  writeFileSync(join(volume, 'jobs/.git/HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(volume, 'jobs/manifest.ts'), 'not committed yet')
  writeFileSync(join(volume, 'jobs/tool.sh'), '#!/bin/sh\n', { mode: 0o755 })
  symlinkSync('manifest.ts', join(volume, 'jobs/link'))
  await claimVolume(volume, 'inst_one', null)
  const database = openSqlite(join(volume, 'longhouse.db'))
  database.exec("create table jobs_runs (id text); insert into jobs_runs values ('run_1')")
  // A customer's own database; its record is only in its write-ahead log.
  const own = openSqlite(join(volume, 'jobs/own.sqlite'))
  own.exec("create table orders (id text); insert into orders values ('first')")

  const { archive, inventory } = await copyOf(volume)
  assert.equal(inventory.instanceId, 'inst_one')
  const folder = temporaryFolder(t)
  const unpacked = await unpackVolume(Readable.from([archive]), folder)
  assert.deepEqual(unpacked, inventory)
  assert.deepEqual(readdirSync(folder).sort(), ['jobs', 'longhouse.db', 'runs'])
  assert.deepEqual(readdirSync(join(folder, 'jobs')).sort(), [
    '.git',
    'link',
    'manifest.ts',
    'own.sqlite',
    'tool.sh',
  ])
  assert.equal(readFileSync(join(folder, 'jobs/link'), 'utf8'), 'not committed yet')
  const rows = (file: string, table: string) => {
    const copy = new Database(join(folder, file), { readonly: true })
    const found = copy.prepare(`select id from ${table}`).pluck().all()
    copy.close()
    return found
  }
  assert.deepEqual(rows('longhouse.db', 'jobs_runs'), ['run_1'])
  assert.deepEqual(rows('jobs/own.sqlite', 'orders'), ['first'])
  database.close()
  own.close()
})

test('a database that cannot be copied fails the copy; a file that cannot be read is listed', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  writeFileSync(join(volume, 'looks-like.db'), `SQLite format 3\0${'x'.repeat(4096)}`)
  const { inventory } = await copyOf(volume)
  assert.deepEqual(
    inventory.files.map(({ path }) => path),
    ['looks-like.db'],
    'a file of the customer that only looks like a database is copied as it is',
  )
  writeFileSync(join(volume, 'longhouse.db'), `SQLite format 3\0${'x'.repeat(4096)}`)
  await assert.rejects(copyOf(volume), /longhouse\.db could not be copied/)
  assert.deepEqual(readdirSync(volume).sort(), ['longhouse.db', 'looks-like.db'], 'no draft is left')
  if (process.getuid?.() === 0) return
  writeFileSync(join(volume, 'longhouse.db'), '')
  chmodSync(join(volume, 'looks-like.db'), 0)
  assert.deepEqual((await copyOf(volume)).inventory.unread[0]?.path, 'looks-like.db')
})

test('a database of the customer that cannot be opened or is kept locked does not fail the copy', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  const make = (name: string) => {
    const database = openSqlite(join(volume, name))
    database.exec('create table orders (id text)')
    return database
  }
  make('longhouse.db').close()
  make('blocked.db').close()
  for (const part of ['-wal', '-shm']) rmSync(join(volume, `blocked.db${part}`), { force: true })
  mkdirSync(join(volume, 'blocked.db-wal'))
  const locked = make('locked.db')
  locked.pragma('locking_mode = exclusive')
  locked.exec("begin exclusive; insert into orders values ('first'); commit")

  const { archive, inventory } = await copyOf(volume)
  locked.close()
  assert.deepEqual(
    inventory.files.map(({ path }) => path),
    ['blocked.db', 'locked.db', 'locked.db-wal', 'longhouse.db'],
  )
  assert.deepEqual(
    inventory.unread.map(({ path }) => path),
    ['blocked.db', 'locked.db'],
  )
  assert.match(inventory.unread[0]?.reason ?? '', /SQLite could not copy it .*copied as they are/)
  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from([archive]), folder)
  const restored = new Database(join(folder, 'locked.db'))
  assert.deepEqual(restored.prepare('select id from orders').pluck().all(), ['first'])
  restored.close()
})

test('what lies beside a file that only looks like a database is copied as well', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  const parts = ['x.db-wal', 'y.db-journal']
  for (const name of parts) writeFileSync(join(volume, name), `hello from ${name}`)
  for (const name of ['x.db', 'y.db'])
    writeFileSync(join(volume, name), `SQLite format 3\0${'x'.repeat(4096)}`)
  const database = openSqlite(join(volume, 'real.db'))
  database.exec('create table orders (id text)')
  database.close()
  symlinkSync('real.db', join(volume, 'link'))
  writeFileSync(join(volume, 'link-wal'), 'a file of its own')

  const { archive, inventory } = await copyOf(volume)
  assert.deepEqual(inventory.files.map(({ path }) => path).sort(), [
    'link-wal',
    'real.db',
    'x.db',
    'x.db-wal',
    'y.db',
    'y.db-journal',
  ])
  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from([archive]), folder)
  for (const name of parts) assert.equal(readFileSync(join(folder, name), 'utf8'), `hello from ${name}`)
})

test('a volume that goes away while it is copied makes no copy', async t => {
  const place = temporaryFolder(t)
  const volume = join(place, 'volume')
  mkdirSync(join(volume, 'jobs/later'), { recursive: true })
  await claimVolume(volume, 'inst_one', null)
  for (const file of ['longhouse.db', 'jobs/own.sqlite']) {
    const database = openSqlite(join(volume, file))
    database.exec('create table orders (id text)')
    database.close()
  }
  writeFileSync(join(volume, 'jobs/later/notes.txt'), 'precious')
  const step = (words: string) => {
    if (!words.endsWith('own.sqlite')) return
    renameSync(volume, join(place, 'elsewhere'))
    mkdirSync(volume)
  }
  const output = new PassThrough().resume()
  await assert.rejects(packVolume(volume, output, 1000, { step }), /the volume went away, or was replaced/)
})

test('after a restore nothing of before the restore happens again', async t => {
  const file = join(temporaryFolder(t), 'longhouse.db')
  const database = new Database(file)
  database.exec(`
    create table jobs_schedules (jobId text, enabled integer, since integer);
    create table jobs_runs (id text, status text, finishedAt integer, notBefore integer, errorMessage text);
    create table notices_messages (id text, status text, finished_at integer, error text);
    create table auth_sessions (hash text);
    insert into jobs_schedules values ('daily', 1, 5);
    insert into jobs_runs values ('done', 'succeeded', 4, null, null), ('retry', 'queued', null, 900, null);
    insert into notices_messages values ('old', 'sent', 3, null), ('waiting', 'queued', null, null);
    insert into auth_sessions values ('x');`)
  const all = (table: string) => database.prepare(`select * from ${table}`).raw().all()
  settleVolume(file, { now: 1000, hold: false, quiet: false })
  settleVolume(file, { now: 1000, hold: false, quiet: false })
  assert.deepEqual(all('jobs_schedules'), [['daily', 1, 1000]])
  assert.deepEqual(all('jobs_runs'), [
    ['done', 'succeeded', 4, null, null],
    ['retry', 'interrupted', 1000, null, 'the instance was restored from a copy'],
  ])
  assert.deepEqual(all('notices_messages'), [
    ['old', 'sent', 3, null],
    ['waiting', 'failed', 1000, 'not sent: the instance was restored from a copy'],
  ])
  assert.deepEqual(all('auth_sessions'), [])
  settleVolume(file, { now: 1000, hold: true, quiet: false })
  assert.deepEqual(all('jobs_schedules'), [['daily', 0, 1000]])
  database.close()
})

test('the program proves the copy of a running instance by starting a runtime on it', async t => {
  const root = temporaryFolder(t)
  const volume = join(root, 'volume')
  const runtime = await startRuntime({
    env: {
      LONGHOUSE_DATA_DIR: volume,
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'correct horse',
      LONGHOUSE_INSTANCE_ID: 'inst_one',
    },
    log: silentLog,
    clock: systemClock,
    spawned: false,
  })
  await runtime.started
  t.after(() => runtime.stop({ patience: false }))
  const jobs = join(volume, 'jobs')
  mkdirSync(jobs, { recursive: true })
  execFileSync('git', ['init', '-q', jobs])
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com']
  execFileSync('git', ['-C', jobs, ...author, 'commit', '-q', '--allow-empty', '-m', 'First'])
  const program = join(import.meta.dirname, '../../dist/copy.js')
  const scratch = join(root, 'scratch')
  mkdirSync(scratch)
  const packing = spawn(process.execPath, [program, 'pack', volume], { stdio: ['ignore', 'pipe', 'pipe'] })
  const proving = spawn(process.execPath, [program, 'prove', scratch], { stdio: ['pipe', 'ignore', 'pipe'] })
  packing.stdout.pipe(proving.stdin)
  const said = async (stream: Readable) => {
    const lines = Buffer.concat(await stream.toArray())
      .toString()
      .trim()
      .split('\n')
    return { steps: lines.slice(0, -1), ...JSON.parse(lines.at(-1) ?? '') }
  }
  const [packed, proved] = await Promise.all([said(packing.stderr), said(proving.stderr)])
  assert.equal(packed.error ?? proved.error, undefined)
  assert.equal(proved.files, packed.files)
  assert.ok(proved.checked.includes('a runtime started on it'), proved.checked.join())
  assert.deepEqual(packed.steps, ['SQLite copies longhouse.db'])
  assert.deepEqual(
    proved.steps.filter((each: string) => !each.includes('%')),
    ['SQLite checks longhouse.db', 'git checks the jobs repo', 'a runtime starts on it'],
  )
  assert.ok(proved.checked.includes('git found the jobs repo whole'), proved.checked.join())
  assert.deepEqual(readdirSync(scratch), [], 'the scratch folder is empty again')
})

test('copies made during a thousand writes each have every record that was confirmed before they began', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  const database = openSqlite(join(volume, 'longhouse.db'))
  t.after(() => database.close())
  database.pragma('wal_autocheckpoint = 50')
  database.exec('create table records (number integer primary key, content blob)')
  const insert = database.prepare('insert into records values (?, ?)')
  const program = join(import.meta.dirname, '../../dist/copy.js')
  let confirmed = 0
  const copying: Promise<{ before: number; after: number; archive: Buffer }>[] = []
  const copy = async () => {
    const before = confirmed
    const packing = spawn(process.execPath, [program, 'pack', volume], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const archive = Buffer.concat(await packing.stdout.toArray())
    return { before, after: confirmed, archive }
  }
  while (confirmed < 1000) {
    insert.run(confirmed + 1, Buffer.alloc(Math.floor(Math.random() * 8000)))
    confirmed++
    if (confirmed % 250 === 100) {
      // One at a time, as the control plane makes them.
      await copying.at(-1)
      copying.push(copy())
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  const copies = await Promise.all(copying)
  assert.equal(copies.length, 4)
  for (const { before, after, archive } of copies) {
    const folder = temporaryFolder(t)
    await unpackVolume(Readable.from([archive]), folder)
    const copied = new Database(join(folder, 'longhouse.db'), { readonly: true })
    assert.equal(copied.pragma('integrity_check', { simple: true }), 'ok')
    const numbers = copied.prepare<[], number>('select number from records order by number').pluck().all()
    copied.close()
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => index + 1),
    )
    assert.ok(numbers.length >= before && numbers.length <= after, `${before} ≤ ${numbers.length} ≤ ${after}`)
  }
})

test('a copy without the data of an instance is not proven, though a runtime would start on it', async t => {
  const volume = join(temporaryFolder(t), 'volume')
  mkdirSync(volume)
  writeFileSync(join(volume, 'left.txt'), 'all that is left')
  await claimVolume(volume, 'inst_one', null)
  const { archive, inventory } = await copyOf(volume)
  const folder = temporaryFolder(t)
  await unpackVolume(Readable.from([archive]), folder)
  await assert.rejects(
    proveVolume(folder, inventory, Date.now(), () => {}),
    /it has no longhouse\.db/,
  )
})
