import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** Browsers in which the operator signed in. Only a hash of the cookie's secret is kept. */
export const sessions = sqliteTable('auth_sessions', {
  secretHash: text('secret_hash').primaryKey(),
  /** Hash of the admin token that it was signed in with: another token ends every session. */
  tokenHash: text('token_hash').notNull(),
  createdAt: integer('created_at').notNull(),
  lastSeenAt: integer('last_seen_at').notNull(),
})

/** Owners, each known by what the provider calls them: an e-mail address may go to somebody else, a subject never. */
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
    /** When its owner deleted it. Signing in again within the time that it is remembered opens it again. */
    closedAt: integer('closed_at'),
    /** When what was known about the person went; only the id stays. */
    erasedAt: integer('erased_at'),
  },
  table => [
    uniqueIndex('auth_accounts_subject').on(table.issuer, table.subject),
    index('auth_accounts_email').on(table.email),
  ],
)

/** Browsers in which an owner is signed in. */
export const accountSessions = sqliteTable(
  'auth_account_sessions',
  {
    /** Names it on pages; opens nothing. */
    id: text('id').primaryKey(),
    secretHash: text('secret_hash').notNull().unique(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** What the browser called itself at the sign-in. */
    browser: text('browser').notNull(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
  },
  table => [index('auth_account_sessions_account').on(table.accountId)],
)
