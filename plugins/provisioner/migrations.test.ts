import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { firstMigrations } from '../../src/testing/migration-chain.ts'
import { testFleet } from './fleet.fixture.ts'
import { getInstance } from './records/instance.ts'
import * as schema from './schema.ts'

const tables = { schema, migrations: 'plugins/provisioner/migrations' }
const at = Date.UTC(2026, 5, 1)

/** What a database of before 0008 said about each instance, beside what every instance has. */
const before: Record<string, Record<string, string | number | null>> = {
  running: { desired: 'running', status: 'running' },
  stopped: { desired: 'stopped', status: 'stopped' },
  suspended: { desired: 'running', status: 'stopped', suspended_at: at, suspension: 'It is not paid for.' },
  'suspended-again': {
    ...{ desired: 'running', status: 'stopped', suspended_at: at, suspension: 'It is not paid for.' },
    retention_carried_ms: 5000,
  },
  going: { desired: 'deleted', status: 'deprovisioning', deleted_by: 'owner', desired_before: 'stopped' },
  'removed-long-ago': { desired: 'deleted', status: 'deleted', deleted_at: at },
  kept: {
    ...{
      desired: 'deleted',
      status: 'deleted',
      deleted_at: at,
      deleted_by: 'billing',
      desired_before: 'running',
    },
    ...{ retention_served_ms: 3000, retention_seen_at: at + 3000 },
  },
  'kept-suspended': {
    ...{
      desired: 'deleted',
      status: 'deleted',
      deleted_at: at,
      deleted_by: 'billing',
      desired_before: 'running',
    },
    ...{ retention_served_ms: 3000, retention_seen_at: at + 3000, retention_carried_ms: 4000 },
    ...{ suspended_at: at - 1000, suspension: 'It is not paid for.' },
  },
  objected: {
    ...{
      desired: 'deleted',
      status: 'deleted',
      deleted_at: at,
      deleted_by: 'billing',
      desired_before: 'stopped',
    },
    ...{ retention_served_ms: 9000, retention_seen_at: at + 9000, retention_held: 'it is paid again' },
  },
  'purge-requested': {
    ...{
      desired: 'deleted',
      status: 'failed',
      deleted_at: at,
      deleted_by: 'operator',
      desired_before: 'running',
    },
    ...{ purge_requested_at: at + 1, volume_permit: 'delete', volume_fault: 'foreign' },
  },
  purged: {
    ...{
      desired: 'deleted',
      status: 'deleted',
      deleted_at: at,
      deleted_by: 'owner',
      desired_before: 'running',
    },
    ...{ purge_requested_at: at + 1, purged_at: at + 2 },
  },
}

/** A database that 0007 was the last migration of, with an instance in each state. */
function oldDatabase(t: TestContext): string {
  const root = temporaryFolder(t)
  mkdirSync(join(root, '.control'))
  const sqlite = openSqlite(join(root, '.control', 'longhouse.db'))
  const migrations = firstMigrations({ part: 'provisioner', tables }, 8, temporaryFolder(t))
  openTables(sqlite, 'provisioner', { schema: {}, migrations })
  for (const [subdomain, said] of Object.entries(before)) {
    const row = {
      ...{ id: `inst_${subdomain}`, subdomain, owner_email: 'ada@example.com', driver: 'process' },
      ...{ image: 'longhouse-runtime:latest', password_hash: 'none', created_at: 1 },
      ...said,
    }
    const names = Object.keys(row)
    sqlite
      .prepare(`insert into provisioner_instances (${names}) values (${names.map(name => `:${name}`)})`)
      .run(row)
  }
  sqlite.close()
  return root
}

test('removals and suspensions move into their own tables with everything that was recorded', t => {
  const sqlite = openSqlite(join(oldDatabase(t), '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'provisioner', tables)
  const removal = (subdomain: string) => {
    const { removal: found } = getInstance(db, `inst_${subdomain}`)
    if (!found) return null
    const { instanceId, ...rest } = found
    assert.equal(instanceId, `inst_${subdomain}`)
    return rest
  }
  const suspension = (subdomain: string) => getInstance(db, `inst_${subdomain}`).suspension
  const begun = { deletedAt: null, carriedMs: 0, servedMs: 0, seenAt: null, objection: null }
  const kept = { ...begun, deletedAt: at, purgeRequestedAt: null, volumePermit: null }

  for (const name of ['running', 'stopped', 'suspended', 'suspended-again']) assert.equal(removal(name), null)
  assert.deepEqual(removal('going'), { ...kept, deletedAt: null, by: 'owner', desiredBefore: 'stopped' })
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
  const purged = { ...kept, by: 'owner', desiredBefore: 'running', purgeRequestedAt: at + 1 }
  assert.deepEqual(removal('purged'), purged)
  assert.equal(getInstance(db, 'inst_purged').purgedAt, at + 2)

  const unpaid = { since: at, reason: 'It is not paid for.', keptMs: 0 }
  assert.deepEqual(suspension('suspended'), { ...unpaid, instanceId: 'inst_suspended' })
  assert.deepEqual(suspension('suspended-again'), {
    ...{ ...unpaid, instanceId: 'inst_suspended-again', keptMs: 5000 },
  })
  assert.equal(suspension('kept-suspended')?.since, at - 1000)
  for (const name of ['running', 'stopped', 'going', 'kept', 'objected', 'purged'])
    assert.equal(suspension(name), null)
})

test('the API shows every instance as before the migration', async t => {
  const fleet = await testFleet(t, { root: oldDatabase(t), env: { RETENTION_DAYS: '0' } })
  const time = (ms: number | string | null | undefined) =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString()
  const { body } = await fleet.admin<{ instances: Record<string, unknown>[] }>('GET', '/admin/instances')
  const said = new Map(
    body.instances.map(({ subdomain, desired, suspended_at, suspension, deleted_at, deleted_by }) => [
      subdomain,
      { desired, suspended_at, suspension, deleted_at, deleted_by },
    ]),
  )
  for (const name of Object.keys(before).filter(
    each => !['purged', 'purge-requested', 'going'].includes(each),
  ))
    assert.deepEqual(
      said.get(name),
      {
        desired: before[name]?.desired,
        suspended_at: time(before[name]?.suspended_at),
        suspension: before[name]?.suspension ?? null,
        deleted_at: time(before[name]?.deleted_at),
        deleted_by: before[name]?.deleted_by ?? null,
      },
      name,
    )
  assert.equal(said.has('purged'), false)
})
