import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { controlPlane } from '../control-plane/control-plane.ts'
import { startRuntime } from '../runtime/program.ts'
import { BootError } from '../src/boot-error.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

/** Each file with what it holds; a lock and what SQLite keeps while a database is open say nothing. */
function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => !/(^|\/)(lock|longhouse\.lock)$|-(wal|shm|journal)$/.test(name))
      .filter(name => statSync(join(folder, name)).isFile())
      .sort()
      .map(name => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  )
}

const change = (file: string, sql: string) => {
  const sqlite = new Database(file)
  sqlite.exec(sql)
  sqlite.close()
}

const applied = (table: string, at: number) =>
  `insert into "${table}" (hash, created_at) values ('of the next version', ${at})`

const newerParts = [
  { what: 'a migration newer than all', sql: (table: string) => applied(table, 4102444800000) },
  { what: 'a migration between ours', sql: (table: string) => applied(table, 1795351579853) },
  {
    what: 'a part that is not ours',
    sql: () =>
      `create table "weather_migrations" (id integer, hash text, created_at numeric); ${applied('weather_migrations', 1)}`,
  },
]

for (const { what, sql } of newerParts) {
  test(`a control plane refuses a database with ${what}, says why, and writes nothing`, async t => {
    const root = temporaryFolder(t)
    const env = { LONGHOUSE_DATA_ROOT: root, LONGHOUSE_PORT: '0', PROVISIONER_DRIVER: 'process' }
    const boot = async () => await (await controlPlane({ env, log: silentLog })).stop()
    await boot()
    // What it wrote itself it takes again.
    await boot()
    const file = join(root, '.control', 'longhouse.db')
    change(file, sql('auth_migrations'))
    const before = contents(root)
    await assert.rejects(boot, (error: unknown) => {
      assert.ok(error instanceof BootError)
      const words =
        /LONGHOUSE_DATA_ROOT: a newer version of Longhouse wrote .*longhouse\.db.*\((auth|weather): 1\)/
      assert.match(error.message, words)
      assert.match(error.message, /Nothing was changed\. Start the newer version again, or restore a backup/)
      return true
    })
    assert.deepEqual(contents(root), before)
    change(file, `delete from auth_migrations where hash = 'of the next version'`)
    change(file, 'drop table if exists weather_migrations')
    await boot()
  })

  test(`an instance refuses a volume with ${what}, says why, and writes nothing`, async t => {
    const dir = temporaryFolder(t)
    const env = {
      LONGHOUSE_DATA_DIR: dir,
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'correct horse',
      LONGHOUSE_INSTANCE_ID: 'inst_test',
    }
    const boot = async () => {
      const runtime = await startRuntime({ env, log: silentLog, clock: systemClock, spawned: false })
      await runtime.started
      await runtime.stop({ patience: false })
    }
    await boot()
    await boot()
    const file = join(dir, 'longhouse.db')
    change(file, sql('jobs_migrations'))
    const before = contents(dir)
    await assert.rejects(boot, (error: unknown) => {
      assert.ok(error instanceof BootError)
      assert.match(error.message, /LONGHOUSE_DATA_DIR: a newer version of Longhouse wrote .*longhouse\.db/)
      return true
    })
    assert.deepEqual(contents(dir), before)
  })
}
