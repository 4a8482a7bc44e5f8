import Database from 'better-sqlite3'
import { avg, eq, relations } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'

const places = sqliteTable('places', { id: integer().primaryKey(), name: text().notNull() })
const readings = sqliteTable('readings', {
  id: integer().primaryKey(),
  placeId: integer()
    .notNull()
    .references(() => places.id),
  value: real().notNull(),
})
const placeRelations = relations(places, ({ many }) => ({ readings: many(readings) }))
const readingRelations = relations(readings, ({ one }) => ({
  place: one(places, { fields: [readings.placeId], references: [places.id] }),
}))

/** Tables, a join and a relation, in memory. */
export async function run() {
  const sqlite = new Database(':memory:')
  sqlite.exec('CREATE TABLE places (id integer PRIMARY KEY, name text NOT NULL)')
  sqlite.exec('CREATE TABLE readings (id integer PRIMARY KEY, placeId integer NOT NULL, value real NOT NULL)')
  const db = drizzle(sqlite, { schema: { places, readings, placeRelations, readingRelations } })
  db.insert(places)
    .values([{ name: 'roof' }, { name: 'cellar' }])
    .run()
  db.insert(readings)
    .values([
      { placeId: 1, value: 3.5 },
      { placeId: 1, value: 4.5 },
      { placeId: 2, value: 11 },
    ])
    .run()
  const means = db
    .select({ name: places.name, mean: avg(readings.value).mapWith(Number) })
    .from(places)
    .innerJoin(readings, eq(readings.placeId, places.id))
    .groupBy(places.id)
    .all()
  const nested = await db.query.places.findMany({ with: { readings: { columns: { value: true } } } })
  sqlite.close()
  return { means, nested }
}
