import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Times are milliseconds since the epoch. */
export const sessions = sqliteTable('auth_sessions', {
  /** Of the secret that the browser holds; see `hashSecret`. */
  hash: text().primaryKey(),
  createdAt: integer('created_at').notNull(),
  /** When its expiry was last moved forward. */
  refreshedAt: integer('refreshed_at').notNull(),
})

/** The password that the sessions were opened with: one row, so that a new password can end them. */
export const passwords = sqliteTable('auth_passwords', {
  id: integer().primaryKey(),
  /** argon2id in PHC format. */
  hash: text().notNull(),
  setAt: integer('set_at').notNull(),
})
