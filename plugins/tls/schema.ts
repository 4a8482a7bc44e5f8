import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * Certificates that could not be ordered, until they are. A restart forgets none: the authority counts failures, and refuses those
 * who try too often.
 */
export const orders = sqliteTable('tls_orders', {
  name: text().primaryKey(),
  attempts: integer().notNull(),
  /** Why the last one failed, in words. */
  fault: text().notNull(),
  triedAt: integer('tried_at').notNull(),
  retryAt: integer('retry_at').notNull(),
})
