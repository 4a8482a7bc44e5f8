import Database from 'better-sqlite3'

/** Every row of every table in a database, except tables and columns that change by themselves. */
export function allRows(
  file: string,
  fleeting: { tables: RegExp; columns: readonly string[] },
): Record<string, unknown> {
  const sqlite = new Database(file, { readonly: true })
  try {
    const tables = sqlite
      .prepare("select name from sqlite_master where type = 'table'")
      .pluck()
      .all() as string[]
    return Object.fromEntries(
      tables
        .filter(name => !fleeting.tables.test(name))
        .map(name => [
          name,
          (sqlite.prepare(`select * from "${name}"`).all() as Record<string, unknown>[]).map(row =>
            Object.fromEntries(Object.entries(row).filter(([column]) => !fleeting.columns.includes(column))),
          ),
        ]),
    )
  } finally {
    sqlite.close()
  }
}
