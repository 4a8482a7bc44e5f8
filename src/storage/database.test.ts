import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { programRoot } from '../root.ts'
import { temporaryFolder } from '../testing/folder.ts'
import { holdLock, openSqlite, openTables } from './database.ts'

test('a lock is taken once, and again after it was released', t => {
  const file = join(temporaryFolder(t), 'lock')
  const lock = holdLock(file)
  assert.ok(lock)
  assert.equal(holdLock(file), null)
  lock.release()
  const again = holdLock(file)
  assert.ok(again)
  again.release()
})

async function holder(t: TestContext, file: string): Promise<{ child: ChildProcess; said: string }> {
  const script = join(import.meta.dirname, 'database.fixture.ts')
  const child = spawn(process.execPath, [...process.execArgv, script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  return { child, said: String(said).trim() }
}

test('a lock excludes other processes too, and is released however its process ends', async t => {
  const file = join(temporaryFolder(t), 'lock')
  const first = await holder(t, file)
  assert.equal(first.said, 'held')
  assert.equal(holdLock(file), null)
  const second = await holder(t, file)
  assert.equal(second.said, 'refused')
  await once(second.child, 'close')

  first.child.kill('SIGKILL')
  await once(first.child, 'close')
  const lock = holdLock(file)
  assert.ok(lock)
  lock.release()
})

test('records survive a power cut, and reference only existing records', t => {
  const sqlite = openSqlite(join(temporaryFolder(t), 'x.db'))
  t.after(() => sqlite.close())
  assert.equal(sqlite.pragma('journal_mode', { simple: true }), 'wal')
  assert.equal(sqlite.pragma('synchronous', { simple: true }), 2)
  sqlite.exec('create table a (id text primary key); create table b (a text references a(id))')
  assert.throws(() => sqlite.exec("insert into b values ('gone')"), /FOREIGN KEY/)
})

/** A migrations folder as drizzle-kit writes it, as a path below the program's root. */
function migrations(folder: string, steps: { tag: string; when: number; sql: string }[]): string {
  mkdirSync(join(folder, 'meta'), { recursive: true })
  for (const { tag, sql } of steps) writeFileSync(join(folder, `${tag}.sql`), sql)
  const entries = steps.map(({ tag, when }, idx) => ({ idx, version: '6', when, tag, breakpoints: true }))
  writeFileSync(
    join(folder, 'meta/_journal.json'),
    JSON.stringify({ version: '7', dialect: 'sqlite', entries }),
  )
  return relative(programRoot(), folder)
}

test('every part has its own migrations, whatever the age of another part’s', t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'x.db')
  const young = sqliteTable('young_things', { id: text('id').primaryKey(), size: integer('size') })
  const old = sqliteTable('old_things', { id: text('id').primaryKey() })
  const first = { tag: '0000_first', when: 2000, sql: 'create table young_things (id text primary key);' }
  const second = { tag: '0001_second', when: 3000, sql: 'alter table young_things add size integer;' }
  const only = { tag: '0000_only', when: 1000, sql: 'create table old_things (id text primary key);' }
  const open = (steps: (typeof first)[]) => {
    const sqlite = openSqlite(file)
    const a = openTables(sqlite, 'young', {
      schema: { young },
      migrations: migrations(join(folder, 'young'), steps),
    })
    const b = openTables(sqlite, 'old', {
      schema: { old },
      migrations: migrations(join(folder, 'old'), [only]),
    })
    return { sqlite, a, b }
  }
  const before = open([first])
  before.b.insert(old).values({ id: 'kept' }).run()
  before.sqlite.close()

  const after = open([first, second])
  after.a.insert(young).values({ id: 'x', size: 1 }).run()
  assert.deepEqual(after.b.select().from(old).all(), [{ id: 'kept' }])
  after.sqlite.close()
})
