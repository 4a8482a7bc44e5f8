import { join } from 'node:path'
import Database from 'better-sqlite3'

export async function run() {
  const db = new Database(join('data', `native-${process.pid}.db`))
  db.exec("create table words (word text); insert into words values ('one'), ('two')")
  const words = db.prepare('select word from words order by word desc').all()
  db.close()
  return words
}
