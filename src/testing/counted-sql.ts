import { AsyncLocalStorage } from 'node:async_hooks'
import type { TestContext } from 'node:test'
import Database from 'better-sqlite3'

export interface CountedSql {
  /** Statements that were run. */
  statements: number
  /** Rows that they returned. */
  rows: number
  /** Waits for the disk: each transaction is one, and each statement that writes outside of any. */
  commits: number
}

/** Counts what pieces of work ask of SQLite, in every database, until the test ends. */
export function countSql({ mock }: Pick<TestContext, 'mock'>) {
  const current = new AsyncLocalStorage<CountedSql>()
  const probe = new Database(':memory:')
  const statements: Database.Statement = Object.getPrototypeOf(probe.prepare('select 1'))
  probe.close()
  const { all, get, run } = statements
  const { transaction } = Database.prototype

  const seen = (statement: Database.Statement, rows: number, isAlone: boolean) => {
    const counted = current.getStore()
    if (!counted) return
    counted.statements++
    counted.rows += rows
    if (isAlone && !statement.readonly) counted.commits++
  }
  mock.method(statements, 'all', function (this: Database.Statement, ...bound: unknown[]) {
    const isAlone = !this.database.inTransaction
    const rows = all.apply(this, bound)
    seen(this, rows.length, isAlone)
    return rows
  })
  mock.method(statements, 'get', function (this: Database.Statement, ...bound: unknown[]) {
    const isAlone = !this.database.inTransaction
    const row = get.apply(this, bound)
    seen(this, row === undefined ? 0 : 1, isAlone)
    return row
  })
  mock.method(statements, 'run', function (this: Database.Statement, ...bound: unknown[]) {
    const isAlone = !this.database.inTransaction
    const result = run.apply(this, bound)
    seen(this, 0, isAlone)
    return result
  })
  // Drizzle makes one of these for each transaction.
  mock.method(
    Database.prototype,
    'transaction',
    function (this: Database.Database, work: (...args: unknown[]) => unknown) {
      const counted = current.getStore()
      if (counted && !this.inTransaction) counted.commits++
      return transaction.call(this, work)
    },
  )
  return {
    /** What a piece of work asks, with all that it starts, until it is done; nothing that goes on beside it. */
    async during(work: () => Promise<unknown>): Promise<CountedSql> {
      const counted = { statements: 0, rows: 0, commits: 0 }
      await current.run(counted, work)
      return { ...counted }
    },
  }
}
