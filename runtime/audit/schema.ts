import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { actorKinds } from '../../src/http/route.ts'

/** Who changed what. Submitted values are not kept, because some of them are secrets. */
export const entries = sqliteTable(
  'audit_entries',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    at: integer().notNull(),
    /** `session` or `token`; null for a caller who had not signed in. */
    actorKind: text('actor_kind', { enum: actorKinds }),
    actorName: text('actor_name'),
    address: text().notNull(),
    /** Method and path of the route: `POST /api/jobs/{id}/run`. */
    action: text().notNull(),
    /** The summary of the route. */
    summary: text().notNull(),
    /** The object of the action, such as a job's id; '' if the action needs none. */
    target: text().notNull(),
    /** Names of the submitted fields, separated by commas. */
    fields: text().notNull(),
    status: integer().notNull(),
    requestId: text('request_id').notNull(),
  },
  table => [index('audit_entries_by_age').on(table.at)],
)
