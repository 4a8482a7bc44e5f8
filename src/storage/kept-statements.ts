import type Database from 'better-sqlite3'

/** More than a program has texts of queries. What a list of values makes longer each time is forgotten. */
const mostKept = 200

const kept = new WeakMap<Database.Database, Database.Database>()

/**
 * The connection for drizzle, which prepares a query each time it is asked. SQLite then parses and plans the same text
 * again, which takes longer than most queries. From this connection the same text gets the same statement.
 */
export function withKeptStatements(sqlite: Database.Database): Database.Database {
  const known = kept.get(sqlite)
  if (known) return known
  const statements = new Map<string, Database.Statement>()
  const prepare = (text: string): Database.Statement => {
    const found = statements.get(text)
    // An iteration of its rows that is going on keeps it.
    if (found?.busy) return sqlite.prepare(text)
    const statement = found ?? sqlite.prepare(text)
    // The last one who asked may have wanted arrays.
    if (statement.reader) statement.raw(false)
    // Used last, forgotten last.
    statements.delete(text)
    statements.set(text, statement)
    if (statements.size > mostKept) statements.delete(statements.keys().next().value as string)
    return statement
  }
  const connection: Database.Database = Object.create(sqlite, { prepare: { value: prepare } })
  kept.set(sqlite, connection)
  return connection
}
