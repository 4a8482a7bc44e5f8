import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { firstMigrations } from '../../src/testing/migration-chain.ts'
import * as schema from './schema.ts'

export const tables = { schema, migrations: 'plugins/provisioner/migrations' }
export const at = Date.UTC(2026, 5, 1)

/** The columns that differ from instance to instance in a database that lacks migration 0008. */
export const before: Record<string, Record<string, string | number | null>> = {
  running: { desired: 'running', status: 'running' },
  stopped: { desired: 'stopped', status: 'stopped' },
  suspended: { desired: 'running', status: 'stopped', suspended_at: at, suspension: 'It is not paid for.' },
  'suspended-again': {
    ...{ desired: 'running', status: 'stopped', suspended_at: at, suspension: 'It is not paid for.' },
    retention_carried_ms: 5000,
  },
  'suspended-without-reason': { desired: 'running', status: 'stopped', suspended_at: at },
  'suspended-and-stopped': {
    ...{ desired: 'stopped', status: 'stopped', suspended_at: at, suspension: 'It is not paid for.' },
  },
  'may-start-empty': {
    ...{ desired: 'running', status: 'failed', ready_at: 1, volume_permit: 'new', volume_fault: 'missing' },
  },
  'may-adopt': {
    ...{ desired: 'running', status: 'failed', ready_at: 1, volume_permit: 'adopt', volume_fault: 'foreign' },
  },
  'going-suspended': {
    ...{ desired: 'deleted', status: 'deprovisioning', deleted_by: 'billing', desired_before: 'running' },
    ...{ suspended_at: at, suspension: 'It is not paid for.' },
  },
  'purge-requested-at-once': {
    ...{ desired: 'deleted', status: 'deprovisioning', deleted_by: 'operator', desired_before: 'running' },
    ...{ purge_requested_at: at + 1 },
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

/**
 * Returns a data root whose database has 0007 as its last migration, with an instance in each state, and an operation with
 * two steps for each.
 */
export function oldDatabase(t: TestContext): string {
  const root = temporaryFolder(t)
  mkdirSync(join(root, '.control'))
  const sqlite = openSqlite(databaseOf(root))
  const migrations = firstMigrations({ part: 'provisioner', tables }, 8, temporaryFolder(t))
  openTables(sqlite, 'provisioner', { schema: {}, migrations })
  const insert = (table: string, row: Record<string, unknown>) => {
    const names = Object.keys(row)
    sqlite.prepare(`insert into ${table} (${names}) values (${names.map(name => `:${name}`)})`).run(row)
  }
  for (const [subdomain, said] of Object.entries(before)) {
    const id = `inst_${subdomain}`
    const operation = `op_${subdomain}`
    insert('provisioner_instances', {
      ...{ id, subdomain, owner_email: 'ada@example.com', driver: 'process', operation_id: operation },
      ...{ image: 'longhouse-runtime:latest', password_hash: 'none', created_at: 1 },
      ...said,
    })
    insert('provisioner_operations', {
      ...{ id: operation, instance_id: id, kind: said.desired === 'deleted' ? 'deprovision' : 'stop' },
      ...{
        status: said.status === 'deprovisioning' ? 'running' : 'succeeded',
        created_at: at,
        started_at: at,
      },
    })
    for (const position of [0, 1])
      insert('provisioner_steps', {
        ...{ operation_id: operation, position, name: position === 0 ? 'stop' : 'remove', status: 'done' },
        ...{ detail: `detail of ${subdomain}`, started_at: at, finished_at: at + position },
      })
  }
  sqlite.close()
  return root
}

export const databaseOf = (root: string) => join(root, '.control', 'longhouse.db')
