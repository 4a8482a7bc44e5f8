import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Times are milliseconds since the epoch. */
export const sessions = sqliteTable('auth_sessions', {
  /** Of the secret that the browser holds; see `hashSecret`. */
  hash: text().primaryKey(),
  createdAt: integer('created_at').notNull(),
  /** When its expiry was last moved forward. */
  refreshedAt: integer('refreshed_at').notNull(),
  /** How it was opened: by the password, or by a token of the control plane. */
  via: text({ enum: ['password', 'sso'] })
    .notNull()
    .default('password'),
  /** The account that the control plane signed in; null for a sign-in with the password. */
  email: text(),
})

/** The password that the sessions were opened with: one row, so that a new password can end them. */
export const passwords = sqliteTable('auth_passwords', {
  id: integer().primaryKey(),
  /** argon2id in PHC format. */
  hash: text().notNull(),
  setAt: integer('set_at').notNull(),
  /** Since when it opens nothing, because its owner signs in with the control plane only; another password opens again. */
  offSince: integer('off_since'),
})

/** Tokens of the control plane that were used: each opens one session. Kept until they would be refused anyway. */
export const usedTokens = sqliteTable('auth_used_tokens', {
  jti: text().primaryKey(),
  usedAt: integer('used_at').notNull(),
})
