import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Database } from 'better-sqlite3'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { ask } from '../../src/testing/ask.ts'
import { memoryFolder, temporaryFolder } from '../../src/testing/folder.ts'
import { firstMigrations } from '../../src/testing/migration-chain.ts'
import { DriverError } from './driver.ts'
import { testFleet, token } from './fleet.fixture.ts'
import { at, before, databaseOf, oldDatabase, tables } from './old-database.fixture.ts'
import { getInstance } from './records/instance.ts'

const unknownReason = 'No reason was recorded.'

test('removals and suspensions move into their own tables with everything that was recorded', t => {
  const sqlite = openSqlite(databaseOf(oldDatabase(t)))
  t.after(() => sqlite.close())
  const journal = () => ['operations', 'steps'].map(name => rowsOf(sqlite, `provisioner_${name}`))
  const journalBefore = journal()
  const db = openTables(sqlite, 'provisioner', tables)
  const removal = (subdomain: string) => {
    const { removal: found } = getInstance(db, `inst_${subdomain}`)
    if (!found) return null
    const { instanceId, ...rest } = found
    assert.equal(instanceId, `inst_${subdomain}`)
    return rest
  }
  const suspension = (subdomain: string) => getInstance(db, `inst_${subdomain}`).suspension
  const begun = {
    deletedAt: null,
    carriedMs: 0,
    servedMs: 0,
    seenAt: null,
    objection: null,
    withoutCopyAt: null,
  }
  const kept = { ...begun, deletedAt: at, purgeRequestedAt: null, volumePermit: null }

  for (const [name, { desired }] of Object.entries(before))
    if (desired !== 'deleted') assert.equal(removal(name), null, name)
  assert.deepEqual(removal('going'), { ...kept, deletedAt: null, by: 'owner', desiredBefore: 'stopped' })
  assert.deepEqual(removal('going-suspended'), {
    ...{ ...kept, deletedAt: null, by: 'billing', desiredBefore: 'running' },
  })
  assert.deepEqual(removal('purge-requested-at-once'), {
    ...{ ...kept, deletedAt: null, by: 'operator', desiredBefore: 'running', purgeRequestedAt: at + 1 },
  })
  assert.deepEqual(removal('removed-long-ago'), { ...kept, by: null, desiredBefore: 'running' })
  const byBilling = { ...kept, by: 'billing', desiredBefore: 'running', servedMs: 3000, seenAt: at + 3000 }
  assert.deepEqual(removal('kept'), byBilling)
  assert.deepEqual(removal('kept-suspended'), { ...byBilling, carriedMs: 4000 })
  assert.deepEqual(removal('objected'), {
    ...{ ...kept, by: 'billing', desiredBefore: 'stopped', servedMs: 9000, seenAt: at + 9000 },
    objection: 'it is paid again',
  })
  // What the operator allowed to be deleted was bound to nothing: it has to be allowed again.
  assert.deepEqual(removal('purge-requested'), {
    ...{ ...kept, by: 'operator', desiredBefore: 'running', purgeRequestedAt: at + 1 },
  })
  assert.equal(getInstance(db, 'inst_purge-requested').volumePermit, null)
  assert.equal(getInstance(db, 'inst_may-start-empty').volumePermit, 'new')
  assert.equal(getInstance(db, 'inst_may-adopt').volumePermit, 'adopt')
  const purged = { ...kept, by: 'owner', desiredBefore: 'running', purgeRequestedAt: at + 1 }
  assert.deepEqual(removal('purged'), purged)
  assert.equal(getInstance(db, 'inst_purged').purgedAt, at + 2)

  const unpaid = { since: at, reason: 'It is not paid for.', keptMs: 0 }
  assert.deepEqual(suspension('suspended'), { ...unpaid, instanceId: 'inst_suspended' })
  assert.deepEqual(suspension('suspended-again'), {
    ...{ ...unpaid, instanceId: 'inst_suspended-again', keptMs: 5000 },
  })
  assert.deepEqual(suspension('suspended-and-stopped'), {
    ...{ ...unpaid, instanceId: 'inst_suspended-and-stopped' },
  })
  assert.deepEqual(suspension('suspended-without-reason'), {
    ...{ instanceId: 'inst_suspended-without-reason', since: at, reason: unknownReason, keptMs: 0 },
  })
  assert.deepEqual(suspension('going-suspended'), { ...unpaid, instanceId: 'inst_going-suspended' })
  assert.deepEqual(suspension('kept-suspended'), {
    ...{ ...unpaid, instanceId: 'inst_kept-suspended', since: at - 1000, keptMs: 4000 },
  })
  for (const [name, { suspended_at }] of Object.entries(before))
    if (!suspended_at) assert.equal(suspension(name), null, name)
  // Later versions have more columns; those of then keep their values.
  type Row = Record<string, unknown>
  const now = journal().map((rows, table) =>
    (rows as Row[]).map((row, at) => {
      const columns = Object.keys((journalBefore[table]?.[at] ?? row) as Row)
      return Object.fromEntries(columns.map(column => [column, row[column]]))
    }),
  )
  assert.deepEqual(now, journalBefore)
})

test('the API shows every instance as before the migration', async t => {
  // The driver holds every purge, removal and start, so that no record changes.
  const held = Promise.withResolvers<void>()
  t.after(() => held.resolve())
  const hold = async () => {
    await held.promise
    throw new DriverError('it does nothing in this test', { permanent: false, transient: true })
  }
  const fleet = await testFleet(t, {
    root: oldDatabase(t),
    env: { RETENTION_DAYS: '0', PROVISIONER_CONCURRENCY: '64' },
    driver: real => ({ ...real, prepareVolume: hold, stop: hold, remove: hold }),
  })
  const time = (ms: number | string | null | undefined) =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString()
  const { body } = await fleet.admin<{ instances: Record<string, unknown>[] }>('GET', '/admin/instances')
  const said = new Map(
    body.instances.map(({ subdomain, desired, suspended_at, suspension, deleted_at, deleted_by }) => [
      subdomain,
      { desired, suspended_at, suspension, deleted_at, deleted_by },
    ]),
  )
  for (const name of Object.keys(before).filter(each => each !== 'purged'))
    assert.deepEqual(
      said.get(name),
      {
        desired: before[name]?.desired,
        suspended_at: time(before[name]?.suspended_at),
        suspension: before[name]?.suspension ?? (before[name]?.suspended_at ? unknownReason : null),
        deleted_at: time(before[name]?.deleted_at),
        deleted_by: before[name]?.deleted_by ?? null,
      },
      name,
    )
  assert.equal(said.has('purged'), false)
  const page = await ask({
    ...{ port: fleet.port, host: 'control.localhost', path: '/admin/instances/suspended-without-reason' },
    headers: { Authorization: `Bearer ${token}`, Accept: 'text/html' },
  })
  assert.match(page.text, new RegExp(`${unknownReason} Suspended since`))
})

const breakpoint = '--> statement-breakpoint'
const chain = { part: 'provisioner', tables }

test('a program killed after any statement of the migration leaves the old database, and the next start migrates it', async t => {
  const old = databaseOf(oldDatabase(t))
  const oldContents = contentsOf(openSqlite(old))
  const newContents = contentsOf(migrated(openSqlite(copyOf(old, temporaryFolder(t)))))
  let statements = 1
  for (let killedAfter = 1; killedAfter <= statements; killedAfter++) {
    const migrations = firstMigrations(chain, 9, memoryFolder(t), (sql, tag) => {
      if (!tag.startsWith('0008')) return sql
      const parts = sql.split(breakpoint)
      statements = parts.length
      return parts
        .toSpliced(killedAfter, 0, 'UPDATE provisioner_instances SET id = end_process();')
        .join(breakpoint)
    })
    const file = copyOf(old, temporaryFolder(t))
    const child = fork(join(import.meta.dirname, 'killed-migration.fixture.ts'), [file, migrations])
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'], `after statement ${killedAfter}`)
    const sqlite = openSqlite(file)
    assert.deepEqual(contentsOf(sqlite, { keepOpen: true }), oldContents, `after statement ${killedAfter}`)
    assert.deepEqual(contentsOf(migrated(sqlite)), newContents, `after statement ${killedAfter}`)
  }
  assert.equal(statements, 15)
})

function copyOf(file: string, folder: string): string {
  const copy = join(folder, 'longhouse.db')
  copyFileSync(file, copy)
  return copy
}

function migrated(sqlite: Database): Database {
  openTables(sqlite, 'provisioner', tables)
  return sqlite
}

/** Returns the schema and the rows of every table, migrations tables included, and closes the database unless `keepOpen`. */
function contentsOf(sqlite: Database, { keepOpen = false } = {}) {
  const schema = sqlite
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'select type, name, sql from sqlite_schema order by type, name',
    )
    .all()
  const names = schema.filter(({ type }) => type === 'table').map(({ name }) => name)
  const contents = { schema, rows: names.map(name => [name, rowsOf(sqlite, name)]) }
  if (!keepOpen) sqlite.close()
  return contents
}

function rowsOf(sqlite: Database, table: string): unknown[] {
  return sqlite.prepare(`select * from "${table}" order by rowid`).all()
}
