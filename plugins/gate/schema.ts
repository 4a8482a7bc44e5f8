import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** The instances that have, or had, a gate. */
export const gates = sqliteTable('gate_gates', {
  instanceId: text('instance_id').primaryKey(),
  closed: integer({ mode: 'boolean' }).notNull(),
  publicPaths: text('public_paths', { mode: 'json' }).$type<string[]>().notNull(),
  /** Counts up each time that everyone has to be let in again. */
  generation: integer().notNull(),
})
