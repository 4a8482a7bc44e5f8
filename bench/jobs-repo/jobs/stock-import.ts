import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { openDatabase } from '../lib/database'

/** Reads the stock that the warehouse sends. */
export async function run() {
  const db = openDatabase()
  const rows = createReadStream('data/stock.csv').pipe(parse({ columns: true }))
  for await (const { sku, count } of rows) await db('stock').insert({ sku, count }).onConflict('sku').merge()
  await db.destroy()
}
