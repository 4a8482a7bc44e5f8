import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { principalKinds } from '../../src/acting.ts'
import { auditResults } from './contract.ts'

/**
 * Who did what. Triggers refuse to change or delete an entry. No reference to other tables: entries outlive what they are about.
 * Submitted values are not kept, because some of them are secrets.
 */
export const entries = sqliteTable(
  'audit_entries',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    at: integer().notNull(),
    actorKind: text('actor_kind', { enum: principalKinds }).notNull(),
    actorId: text('actor_id').notNull(),
    actorName: text('actor_name').notNull(),
    address: text(),
    action: text().notNull(),
    via: text().notNull(),
    target: text().notNull(),
    instanceId: text('instance_id'),
    operationId: text('operation_id'),
    result: text({ enum: auditResults }).notNull(),
    status: integer(),
    detail: text().notNull(),
    requestId: text('request_id'),
    previousHash: text('previous_hash').notNull(),
    /** Of everything before it in this row: see `hashOf`. */
    hash: text().notNull(),
  },
  table => [
    index('audit_entries_by_age').on(table.at),
    index('audit_entries_by_instance').on(table.instanceId, table.seq),
    index('audit_entries_by_target').on(table.target, table.seq),
  ],
)
