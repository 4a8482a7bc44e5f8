import knex from 'knex'
import { Client } from 'pg'
import { startPostgres } from '../servers/postgres'

/** A table in a real Postgres, through pg, and through knex with it. */
export async function run() {
  const { port, stop } = await startPostgres()
  const connection = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', ssl: false }

  const client = new Client(connection)
  await client.connect()
  await client.query('CREATE TABLE readings (place text, value numeric, at timestamptz)')
  const inserted = await client.query('INSERT INTO readings VALUES ($1, $2, $3), ($4, $5, $6)', [
    ...['roof', 3.5, '2026-01-31T08:00:00Z'],
    ...['cellar', 11, new Date('2026-01-31T09:00:00Z')],
  ])
  await client.end()

  const db = knex({ client: 'pg', connection, pool: { min: 0, max: 1 } })
  const rows = await db('readings').select('place', 'value', 'at').where('value', '>', 2).orderBy('place')
  const sql = db('readings').insert({ place: "o'hare" }).onConflict('place').ignore().toString()
  await db.destroy()
  await stop()
  return { inserted: inserted.rowCount, rows, sql }
}
