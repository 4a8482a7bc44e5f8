import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** The head of each push that was taken, and who pushed it. Times are milliseconds since the epoch. */
export const pushes = sqliteTable(
  'git_server_pushes',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    commit: text().notNull(),
    /** The name of the API token; null for a password. */
    token: text(),
    at: integer().notNull(),
  },
  table => [index('git_server_pushes_by_commit').on(table.commit)],
)
