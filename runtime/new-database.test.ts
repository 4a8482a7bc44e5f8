import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { builtRoot } from '../src/root.ts'
import { openSqlite } from '../src/storage/database.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { jobSpecVersion } from './manifest/manifest.ts'
import { jobSpecFile } from './manifest/program-version.ts'
import { newDatabaseFile, takeNewDatabase, writeNewDatabase } from './new-database.ts'
import { plugins } from './program.ts'

const built = builtRoot(newDatabaseFile)

/** Everything that a database holds: its settings, its schema, and the rows of each table. */
function contentOf(file: string) {
  const sqlite = new Database(file, { readonly: true })
  try {
    const schema = sqlite
      .prepare<[], { name: string; type: string }>(
        'select type, name, tbl_name, sql from sqlite_schema order by type, name',
      )
      .all()
    const rows = schema
      .filter(({ type }) => type === 'table')
      .map(({ name }) => [name, sqlite.prepare(`select * from "${name}"`).all()])
    const settings = ['journal_mode', 'page_size', 'encoding', 'user_version', 'auto_vacuum'].map(name =>
      sqlite.pragma(name, { simple: true }),
    )
    return { schema, rows: Object.fromEntries(rows) as Record<string, unknown[]>, settings }
  } finally {
    sqlite.close()
  }
}

test('the database that the build made is what the migrations make of nothing', t => {
  const migrated = join(temporaryFolder(t), 'longhouse.db')
  writeNewDatabase(migrated, plugins)
  const content = contentOf(built)
  assert.deepEqual(content, contentOf(migrated))
  const filled = Object.entries(content.rows).flatMap(([name, rows]) => (rows.length > 0 ? [name] : []))
  assert.ok(filled.length > 8, 'every part says which migrations it has')
  assert.deepEqual(
    filled.filter(name => !name.endsWith('_migrations') && name !== 'sqlite_sequence'),
    [],
    'nothing else is in it',
  )
})

test('the version of the definition of jobs that the build wrote down is the one of this program', () => {
  assert.equal(readFileSync(builtRoot(jobSpecFile), 'utf8'), jobSpecVersion())
})

test('a new volume gets that database, whole, and what was left of an attempt goes', t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'longhouse.db')
  writeFileSync(`${file}.new`, 'half')
  takeNewDatabase(file, built)
  assert.deepEqual(readdirSync(folder), ['longhouse.db'])
  assert.deepEqual(readFileSync(file), readFileSync(built))
})

test('a database that is there stays as it is, and so does what SQLite keeps beside it', t => {
  for (const name of ['longhouse.db', 'longhouse.db-wal', 'longhouse.db-journal']) {
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, name), 'kept')
    takeNewDatabase(join(folder, 'longhouse.db'), built)
    assert.deepEqual(readdirSync(folder), [name])
    assert.equal(readFileSync(join(folder, name), 'utf8'), 'kept')
  }
})

test('where it cannot be written, or was not made, SQLite makes the database', t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'longhouse.db')
  takeNewDatabase(file, join(folder, 'none.db'))
  assert.equal(existsSync(file), false)
  takeNewDatabase(join(folder, 'missing', 'longhouse.db'), built)
  assert.deepEqual(readdirSync(folder), [])
  const sqlite = openSqlite(file)
  writeNewDatabase(file, plugins)
  sqlite.close()
})
