import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { copyReasons } from '../provisioner/contract.ts'

export const copyStatuses = ['waiting', 'kept', 'failed', 'forgotten'] as const

/** Every copy that was asked for. Times are milliseconds since the epoch. */
export const copies = sqliteTable(
  'backup_copies',
  {
    id: text('id').primaryKey(),
    instanceId: text('instance_id').notNull(),
    subdomain: text('subdomain').notNull(),
    reason: text('reason', { enum: copyReasons }).notNull(),
    /**
     * `waiting`: to be made, or being made; after a crash it is made anew. `kept`: it is in the store. `forgotten`: it was, until
     * its time was over.
     */
    status: text('status', { enum: copyStatuses }).notNull(),
    /** The operation that needs it: it gets one copy, however often it is resumed. */
    operationId: text('operation_id'),
    image: text('image').notNull(),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
    /** Its name in the store. */
    snapshot: text('snapshot'),
    /** The length of the archive, and what the store needed for it. */
    bytes: integer('bytes'),
    storedBytes: integer('stored_bytes'),
    /** Why it could not be made. */
    error: text('error'),
    /** Files of the volume that could not be read. */
    unread: integer('unread').notNull().default(0),
    /** When it was last proven to work, and when that was last tried. */
    provenAt: integer('proven_at'),
    triedAt: integer('tried_at'),
    /** Why the last try failed; null when it did not. */
    fault: text('fault'),
  },
  table => [
    index('backup_copies_instance').on(table.instanceId, table.createdAt),
    index('backup_copies_status').on(table.status),
    uniqueIndex('backup_copies_operation').on(table.operationId).where(sql`${table.operationId} is not null`),
  ],
)
export type CopyRow = typeof copies.$inferSelect

/** Copies of the control plane's own records. */
export const controlCopies = sqliteTable('backup_control_copies', {
  id: text('id').primaryKey(),
  createdAt: integer('created_at').notNull(),
  snapshot: text('snapshot').notNull(),
  bytes: integer('bytes').notNull(),
})
