import { sql } from 'drizzle-orm'
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { domainStates } from './contract.ts'

/** See `Domain`. Any number of instances may claim a name; only one can have it proven. */
export const domains = sqliteTable(
  'domains_domains',
  {
    id: text().primaryKey(),
    instanceId: text('instance_id').notNull(),
    name: text().notNull(),
    proof: text().notNull(),
    state: text({ enum: domainStates }).notNull(),
    since: integer().notNull(),
    vouched: integer({ mode: 'boolean' }).notNull(),
    createdAt: integer('created_at').notNull(),
    checkedAt: integer('checked_at'),
    finding: text(),
    nextCheckAt: integer('next_check_at').notNull(),
    /** Checks in a row that did not find the proof, or got no answer. */
    misses: integer().notNull().default(0),
  },
  table => [
    uniqueIndex('domains_claims').on(table.instanceId, table.name),
    uniqueIndex('domains_proven').on(table.name).where(sql`state in ('active', 'losing')`),
  ],
)
