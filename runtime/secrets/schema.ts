import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Times are milliseconds since the epoch. */
export const values = sqliteTable('secrets_values', {
  name: text().primaryKey(),
  /** See `Seal`. */
  sealed: text().notNull(),
  updatedAt: integer('updated_at').notNull(),
})
