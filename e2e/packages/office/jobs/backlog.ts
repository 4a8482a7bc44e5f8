import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { startPostgres } from '../servers/postgres'

interface Database {
  invoices: { number: string; cents: number; sent: boolean }
}

export async function backlog() {
  const { port, stop } = await startPostgres()
  const connection = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', ssl: false, max: 1 }

  // The shop fills the queue.
  const boss = new PgBoss({ ...connection, supervise: false, schedule: false })
  await boss.start()
  await boss.createQueue('invoices')
  for (const number of ['2026-7', '2026-8', 'broken']) {
    await boss.send('invoices', { number }, { retryLimit: 0 })
  }

  // A batch comes in any order.
  const batch = await boss.fetch<{ number: string }>('invoices', { batchSize: 10 })
  const found = batch.toSorted((a, b) => a.data.number.localeCompare(b.data.number))
  for (const { id, data } of found) {
    if (data.number === 'broken') await boss.fail('invoices', id, { message: 'no such invoice' })
    else await boss.complete('invoices', id)
  }
  const states = await Promise.all(found.map(({ id }) => boss.findJobs('invoices', { id })))
  await boss.stop({ graceful: false })

  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: new pg.Pool(connection) }) })
  await db.schema
    .createTable('invoices')
    .addColumn('number', 'text', column => column.primaryKey())
    .addColumn('cents', 'integer', column => column.notNull())
    .addColumn('sent', 'boolean', column => column.notNull().defaultTo(false))
    .execute()
  await db
    .insertInto('invoices')
    .values(found.map(({ data }, at) => ({ number: data.number, cents: 100 * (at + 1), sent: at < 2 })))
    .execute()
  const sums = await db
    .selectFrom('invoices')
    .select(({ fn }) => ['sent', fn.sum<string>('cents').as('cents')])
    .groupBy('sent')
    .orderBy('sent')
    .execute()
  const { rows } = await sql<{
    year: string
  }>`SELECT DISTINCT left(number, 4) AS year FROM invoices ORDER BY 1`.execute(db)
  await db.destroy()
  await stop()
  return { states: states.flat().map(({ state }) => state), sums, rows }
}
