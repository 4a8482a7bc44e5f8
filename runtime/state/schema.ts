import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** State that jobs keep between runs. Times are milliseconds since the epoch. */
export const entries = sqliteTable(
  'state_entries',
  {
    jobId: text('job_id').notNull(),
    key: text().notNull(),
    json: text().notNull(),
    /** Size of the key and the JSON together. */
    bytes: integer().notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  table => [primaryKey({ columns: [table.jobId, table.key] })],
)
