import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite, openTables } from '../../../src/storage/database.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import * as schema from '../schema.ts'
import { findRun, insertRun } from './run-record.ts'

test('a run that cannot be stored on a full disk does not count as recorded', t => {
  const disk = smallDisk(t, { mebibytes: 1 })
  if (!disk) return
  const sqlite = openSqlite(join(disk.dir, 'longhouse.db'))
  const db = openTables(sqlite, 'jobs', { schema, migrations: 'runtime/jobs/migrations' })
  t.after(() => sqlite.close())
  const run = {
    jobId: 'job',
    trigger: 'manual' as const,
    slot: null,
    params: { note: 'x'.repeat(50_000) },
    build: 'b',
    commit: null,
    timeoutMs: 1000,
  }
  disk.fill()
  assert.throws(() => insertRun(db, run, 1), { code: 'SQLITE_FULL' })
  disk.free()
  const row = insertRun(db, run, 2)
  assert.deepEqual(findRun(db, row.id), row)
})
