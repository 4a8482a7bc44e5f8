import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Times are milliseconds since the epoch. */
export const sessions = sqliteTable('auth_sessions', {
  /** Hash of the secret in the browser's cookie; see `hashSecret`. */
  hash: text().primaryKey(),
  createdAt: integer('created_at').notNull(),
  /** When its expiry was last extended. */
  refreshedAt: integer('refreshed_at').notNull(),
  /** How it was started: by the password, or by single sign-on. */
  via: text({ enum: ['password', 'sso'] })
    .notNull()
    .default('password'),
  /** The account that the control plane signed in; null for a sign-in with the password. */
  email: text(),
})

/** The password that started the sessions: one row, so that a new password can end them. */
export const passwords = sqliteTable('auth_passwords', {
  id: integer().primaryKey(),
  /** argon2id in PHC format. */
  hash: text().notNull(),
  setAt: integer('set_at').notNull(),
  /** When the password was turned off in favour of single sign-on; null while it is on. A new password turns it on. */
  offSince: integer('off_since'),
})

/** Used single sign-on tokens: each starts one session. Kept until they have expired. */
export const usedTokens = sqliteTable('auth_used_tokens', {
  jti: text().primaryKey(),
  usedAt: integer('used_at').notNull(),
})
