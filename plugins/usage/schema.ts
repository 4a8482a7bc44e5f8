import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** A short number for each instance: it stands in a thousand rows a minute. */
export const usageInstances = sqliteTable('usage_instances', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  instanceId: text('instance_id').notNull().unique(),
})

/**
 * What each instance took, minute by minute, for a day. `at` counts minutes since the epoch. The newest rows are at the end of
 * the table, and the oldest, which are deleted, at its beginning.
 */
export const usageMinutes = sqliteTable(
  'usage_minutes',
  {
    at: integer('at').notNull(),
    key: integer('key').notNull(),
    /** In thousandths of a core, on average since the look before. Null for the first look. */
    cpu: integer('cpu'),
    memoryKib: integer('memory_kib').notNull(),
    diskKib: integer('disk_kib'),
    processes: integer('processes').notNull(),
  },
  table => [primaryKey({ columns: [table.at, table.key] })],
)

const spreads = {
  key: integer('key').notNull(),
  cpuMin: integer('cpu_min'),
  cpuAvg: integer('cpu_avg'),
  cpuMax: integer('cpu_max'),
  memoryMin: integer('memory_min').notNull(),
  memoryAvg: integer('memory_avg').notNull(),
  memoryMax: integer('memory_max').notNull(),
  diskMin: integer('disk_min'),
  diskAvg: integer('disk_avg'),
  diskMax: integer('disk_max'),
  processes: integer('processes').notNull(),
}

/** The same by quarters of an hour, for a month. `at` counts quarters since the epoch. */
export const usageQuarters = sqliteTable(
  'usage_quarters',
  { at: integer('at').notNull(), ...spreads },
  table => [primaryKey({ columns: [table.at, table.key] })],
)

/** The same by days in UTC, for a year. `at` counts days since the epoch. */
export const usageDays = sqliteTable('usage_days', { at: integer('at').notNull(), ...spreads }, table => [
  primaryKey({ columns: [table.at, table.key] }),
])
