import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** A short number for each instance: it stands in a row for each minute with traffic. */
export const trafficInstances = sqliteTable('traffic_instances', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  instanceId: text('instance_id').notNull().unique(),
})

/** The columns of a table, made anew for each. */
const counts = () => ({
  at: integer('at').notNull(),
  key: integer('key').notNull(),
  /** Answers by class of status. */
  status1: integer('status_1').notNull(),
  status2: integer('status_2').notNull(),
  status3: integer('status_3').notNull(),
  status4: integer('status_4').notNull(),
  status5: integer('status_5').notNull(),
  broken: integer('broken').notNull(),
  refused: integer('refused').notNull(),
  bytesIn: integer('bytes_in').notNull(),
  bytesOut: integer('bytes_out').notNull(),
  /** Answers by how long they took: one column for each bound of `latencyBoundsMs`, and one for what is beyond. */
  latency0: integer('latency_0').notNull(),
  latency1: integer('latency_1').notNull(),
  latency2: integer('latency_2').notNull(),
  latency3: integer('latency_3').notNull(),
  latency4: integer('latency_4').notNull(),
  latency5: integer('latency_5').notNull(),
  latency6: integer('latency_6').notNull(),
  latency7: integer('latency_7').notNull(),
  latency8: integer('latency_8').notNull(),
  latency9: integer('latency_9').notNull(),
  latency10: integer('latency_10').notNull(),
  latency11: integer('latency_11').notNull(),
  latency12: integer('latency_12').notNull(),
  latency13: integer('latency_13').notNull(),
  latency14: integer('latency_14').notNull(),
  latency15: integer('latency_15').notNull(),
})

/** What passed to and from each instance, minute by minute, for a day. A minute without traffic has no row. */
export const trafficMinutes = sqliteTable('traffic_minutes', counts(), table => [
  primaryKey({ columns: [table.at, table.key] }),
])

/** The same by quarters of an hour, for a month. */
export const trafficQuarters = sqliteTable('traffic_quarters', counts(), table => [
  primaryKey({ columns: [table.at, table.key] }),
])

/** The same by days in UTC, for a year. */
export const trafficDays = sqliteTable('traffic_days', counts(), table => [
  primaryKey({ columns: [table.at, table.key] }),
])
