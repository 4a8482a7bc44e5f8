import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** The operators' sessions. Only a hash of the cookie's secret is stored. */
export const sessions = sqliteTable('auth_sessions', {
  secretHash: text('secret_hash').primaryKey(),
  /** Hash of the admin token at the sign-in: a new token ends every session of it. '' in an operator's. */
  tokenHash: text('token_hash').notNull(),
  /** Who signed in; null for the admin token. */
  operatorId: text('operator_id'),
  createdAt: integer('created_at').notNull(),
  lastSeenAt: integer('last_seen_at').notNull(),
  /** The address and the User-Agent at the sign-in; null in one of an earlier version. */
  address: text('address'),
  browser: text('browser'),
})

/** Owners, identified by the provider's subject. An email address may pass to another person; a subject never does. */
export const accounts = sqliteTable(
  'auth_accounts',
  {
    id: text('id').primaryKey(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    /** Verified by the issuer at the last sign-in. */
    email: text('email').notNull(),
    name: text('name'),
    createdAt: integer('created_at').notNull(),
    lastSignInAt: integer('last_sign_in_at').notNull(),
    /** When its owner deleted it. Signing in again before it is erased reopens it. */
    closedAt: integer('closed_at'),
    /** When the personal data was erased; only the id is left. */
    erasedAt: integer('erased_at'),
  },
  table => [
    uniqueIndex('auth_accounts_subject').on(table.issuer, table.subject),
    index('auth_accounts_email').on(table.email),
  ],
)

/** The owners' sessions. */
export const accountSessions = sqliteTable(
  'auth_account_sessions',
  {
    /** Identifies it on pages; grants no access. */
    id: text('id').primaryKey(),
    secretHash: text('secret_hash').notNull().unique(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** The User-Agent at the sign-in. */
    browser: text('browser').notNull(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
  },
  table => [index('auth_account_sessions_account').on(table.accountId)],
)
