import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'

export type JobsDb = Db<typeof schema>

/** A statement prepared once for each database or transaction: preparing takes longer than running. */
export function perDatabase<Statement>(
  make: (db: Pick<JobsDb, 'insert'>) => Statement,
): (db: Pick<JobsDb, 'insert'>) => Statement {
  const made = new WeakMap<object, Statement>()
  return db => {
    const known = made.get(db)
    if (known !== undefined) return known
    const statement = make(db)
    made.set(db, statement)
    return statement
  }
}
