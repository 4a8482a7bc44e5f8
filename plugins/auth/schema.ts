import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Browsers in which the operator signed in. Only a hash of the cookie's secret is kept. */
export const sessions = sqliteTable('auth_sessions', {
  secretHash: text('secret_hash').primaryKey(),
  /** Hash of the admin token that it was signed in with: another token ends every session. */
  tokenHash: text('token_hash').notNull(),
  createdAt: integer('created_at').notNull(),
  lastSeenAt: integer('last_seen_at').notNull(),
})
