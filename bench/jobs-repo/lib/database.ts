import knex from 'knex'

/** The shop's database. Close it with `destroy`. */
export function openDatabase() {
  return knex({ client: 'pg', connection: process.env.DATABASE_URL ?? 'postgres://shop@127.0.0.1/shop' })
}
