import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import knex from 'knex'

/** A file in data/, through knex, and read again by better-sqlite3 itself. */
export async function run() {
  const filename = 'data/readings.sqlite'
  rmSync(filename, { force: true })
  const db = knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
  await db.schema.createTable('readings', table => {
    table.increments('id')
    table.string('place')
    table.float('value')
  })
  await db.transaction(async trx => {
    await trx('readings').insert([
      { place: 'roof', value: 3.5 },
      { place: 'cellar', value: 11 },
      { place: 'roof', value: 4.5 },
    ])
  })
  const means = await db('readings').select('place').avg('value as mean').groupBy('place').orderBy('place')
  await db.destroy()
  const plain = new Database(filename, { readonly: true })
  const { count } = plain.prepare('SELECT count(*) AS count FROM readings').get() as { count: number }
  plain.close()
  return { means, count }
}
