import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Who changed what. Values that were sent are not kept, for some of them are secrets. */
export const entries = sqliteTable(
  'audit_entries',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    at: integer().notNull(),
    /** `session` or `token`; null for a caller who had not signed in. */
    actorKind: text('actor_kind').$type<'session' | 'token'>(),
    actorName: text('actor_name'),
    address: text().notNull(),
    /** Method and path of the route: `POST /api/jobs/{id}/run`. */
    action: text().notNull(),
    /** The route in words. */
    summary: text().notNull(),
    /** What it was done to, such as a job's id; '' when the action says it all. */
    target: text().notNull(),
    /** Names of the fields that were sent, separated by commas. */
    fields: text().notNull(),
    status: integer().notNull(),
    requestId: text('request_id').notNull(),
  },
  table => [index('audit_entries_by_age').on(table.at)],
)
