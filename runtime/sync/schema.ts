import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Conflict, Held } from '../repo/contract.ts'

/** The remote of the jobs repo: one row, or none. Times are milliseconds since the epoch. */
export const remotes = sqliteTable('sync_remotes', {
  id: integer().primaryKey(),
  url: text().notNull(),
  username: text().notNull(),
  /** Sealed, like the next column. */
  token: text().notNull(),
  webhookSecret: text('webhook_secret').notNull(),
  /** The remote's branch, and the local branch that it is synced with. */
  branch: text().notNull(),
  localBranch: text('local_branch').notNull(),
  /** The remote's head after the last sync. */
  last: text(),
  ahead: integer(),
  behind: integer(),
  lastSyncAt: integer('last_sync_at'),
  failures: integer().notNull().default(0),
  error: text(),
  conflict: text({ mode: 'json' }).$type<Conflict>(),
  held: text({ mode: 'json' }).$type<Held>(),
})
