import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'

export type JobsDb = Db<typeof schema>

/** A statement prepared once for each database or transaction: preparing takes longer than running. */
export function perDatabase<Statement, Kind extends 'insert' | 'update' | 'select' = 'insert'>(
  make: (db: Pick<JobsDb, Kind>) => Statement,
): (db: Pick<JobsDb, Kind>) => Statement {
  const made = new WeakMap<object, Statement>()
  return db => {
    const known = made.get(db)
    if (known !== undefined) return known
    const statement = make(db)
    made.set(db, statement)
    return statement
  }
}
