import type { Database } from 'better-sqlite3'

export interface ColumnInfo {
  name: string
  type: string
  notnull: 0 | 1
  /** Its position in the primary key; 0 if it is not part of it. */
  pk: number
}

export interface ForeignKey {
  table: string
  from: string
  to: string | null
}

export function columnsOf(sqlite: Database, table: string): ColumnInfo[] {
  return sqlite.prepare<[string], ColumnInfo>('select * from pragma_table_info(?)').all(table)
}

export function foreignKeysOf(sqlite: Database, table: string): ForeignKey[] {
  return sqlite.prepare<[string], ForeignKey>('select * from pragma_foreign_key_list(?)').all(table)
}

/** The tables with the program's own rows. */
export function tablesIn(sqlite: Database): string[] {
  return sqlite
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table' order by name")
    .all()
    .map(({ name }) => name)
    .filter(name => !name.startsWith('sqlite_') && !name.endsWith('_migrations'))
}
