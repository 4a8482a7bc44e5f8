import { AsyncLocalStorage } from 'node:async_hooks'
import type { TestContext } from 'node:test'
import Database from 'better-sqlite3'

export interface CountedSql {
  /** Number of statements run. */
  statements: number
  /** Number of rows returned. */
  rows: number
  /** Number of disk syncs: one per transaction, and one per statement that writes outside of any. */
  commits: number
}

/** Counts the SQLite work of tasks, in every database, until the test ends. */
export function countSql({ mock }: Pick<TestContext, 'mock'>) {
  const current = new AsyncLocalStorage<CountedSql>()
  const ofTables = new Map<string, number>()
  const probe = new Database(':memory:')
  const statements: Database.Statement = Object.getPrototypeOf(probe.prepare('select 1'))
  probe.close()
  const { all, get, run } = statements
  const { transaction } = Database.prototype

  const seen = (statement: Database.Statement, rows: number, isAlone: boolean) => {
    for (const [table, number] of ofTables)
      if (statement.source.includes(`"${table}"`)) ofTables.set(table, number + 1)
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
    /** Counts the work of one task with everything it starts, until it is done; concurrent work does not count. */
    async during(work: () => Promise<unknown>): Promise<CountedSql> {
      const counted = { statements: 0, rows: 0, commits: 0 }
      await current.run(counted, work)
      return { ...counted }
    },
    /** Counts the statements that name a table while this work goes on, whatever runs them: a request's too. */
    async naming(table: string, work: () => Promise<unknown>): Promise<number> {
      ofTables.set(table, 0)
      await work()
      const number = ofTables.get(table) ?? 0
      ofTables.delete(table)
      return number
    },
  }
}
