import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Database } from 'better-sqlite3'
import { type Column, getTableColumns, getTableName, is } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { programRoot } from '../root.ts'
import { openSqlite, openTables, type Tables } from '../storage/database.ts'

/** The migrations of one part, with the schema that its program reads them by. */
export interface MigrationChain {
  part: string
  tables: Tables<Record<string, unknown>>
}

/** Rows in each table of a filled database: more than any column has words to choose from. */
const rowsPerTable = 12

/** How many migrations the chain has. */
export function stepsOf({ tables }: MigrationChain): number {
  return journalOf(programRoot(tables.migrations)).entries.length
}

/**
 * Fills every table of a database that has the first `step` migrations, runs the other ones, and returns what is wrong
 * afterwards, in words. `folder` is an empty one to work in.
 */
export function faultsAfter(chain: MigrationChain, step: number, folder: string): string[] {
  const sqlite = openSqlite(':memory:')
  const scratch = openSqlite(':memory:')
  try {
    const early = firstMigrations(chain, step, folder)
    openTables(sqlite, chain.part, { schema: {}, migrations: early })
    fill(sqlite, columnsOf(chain.tables.schema))
    const before = contentsOf(sqlite)
    const failure = migrationFailure(sqlite, chain)
    if (failure !== null) return [failure]
    openTables(scratch, chain.part, chain.tables)
    return [
      ...lost(before, contentsOf(sqlite)),
      ...checksOf(sqlite),
      ...differences(schemaOf(sqlite), schemaOf(scratch)),
      ...schemaTables(chain.tables.schema).flatMap(table => readingFaults(sqlite, table)),
    ]
  } finally {
    sqlite.close()
    scratch.close()
  }
}

function migrationFailure(sqlite: Database, { part, tables }: MigrationChain): string | null {
  try {
    openTables(sqlite, part, tables)
    return null
  } catch (error) {
    const { message, cause } = error as Error
    return `the migration failed: ${cause instanceof Error ? cause.message : message}`
  }
}

interface Journal {
  entries: { tag: string }[]
}

function journalOf(folder: string): Journal {
  return JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8'))
}

/** A copy of the chain that ends after `step` migrations, as a path below the program's root. */
export function firstMigrations({ tables }: MigrationChain, step: number, copy: string): string {
  const folder = programRoot(tables.migrations)
  const journal = journalOf(folder)
  const entries = journal.entries.slice(0, step)
  mkdirSync(join(copy, 'meta'), { recursive: true })
  for (const { tag } of entries) cpSync(join(folder, `${tag}.sql`), join(copy, `${tag}.sql`))
  writeFileSync(join(copy, 'meta', '_journal.json'), JSON.stringify({ ...journal, entries }))
  return relative(programRoot(), copy)
}

function schemaTables(schema: Record<string, unknown>): SQLiteTable[] {
  return Object.values(schema).filter((each): each is SQLiteTable => is(each, SQLiteTable))
}

type KnownColumns = ReadonlyMap<string, Column>

/** Today's columns by `table.column`. */
function columnsOf(schema: Record<string, unknown>): KnownColumns {
  return new Map(
    schemaTables(schema).flatMap(table =>
      Object.values(getTableColumns(table)).map(
        column => [`${getTableName(table)}.${column.name}`, column] as const,
      ),
    ),
  )
}

interface ColumnInfo {
  name: string
  type: string
  notnull: 0 | 1
  pk: number
}

interface ForeignKey {
  table: string
  from: string
  to: string | null
}

const infoOf = (sqlite: Database, table: string) =>
  sqlite.prepare<[string], ColumnInfo>('select * from pragma_table_info(?)').all(table)
const foreignKeysOf = (sqlite: Database, table: string) =>
  sqlite.prepare<[string], ForeignKey>('select * from pragma_foreign_key_list(?)').all(table)

/** The tables that hold the program's own rows. */
function tablesIn(sqlite: Database): string[] {
  return sqlite
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table' order by name")
    .all()
    .map(({ name }) => name)
    .filter(name => !name.startsWith('sqlite_') && !name.endsWith('_migrations'))
}

/** The same, each after those that its foreign keys point to. */
function parentsFirst(sqlite: Database): string[] {
  const sorted: string[] = []
  const visit = (table: string) => {
    if (sorted.includes(table)) return
    for (const { table: parent } of foreignKeysOf(sqlite, table)) if (parent !== table) visit(parent)
    sorted.push(table)
  }
  for (const table of tablesIn(sqlite)) visit(table)
  return sorted
}

function fill(sqlite: Database, known: KnownColumns): void {
  const keys = new Map<string, unknown>()
  for (const table of parentsFirst(sqlite)) {
    const columns = infoOf(sqlite, table)
    const parents = foreignKeysOf(sqlite, table)
    const insert = sqlite.prepare(
      `insert into "${table}" (${columns.map(({ name }) => `"${name}"`)}) values (${columns.map(() => '?')})`,
    )
    for (let row = 0; row < rowsPerTable; row++) {
      const values = columns.map((column, at) => {
        const isNull = column.notnull === 0 && column.pk === 0 && leavesNull(row, at)
        const parent = parents.find(({ from }) => from === column.name)
        const value = isNull
          ? null
          : parent
            ? keys.get(`${parent.table}.${parent.to ?? 'id'} ${row}`)
            : filling(column, row, known.get(`${table}.${column.name}`))
        keys.set(`${table}.${column.name} ${row}`, value)
        return value
      })
      insert.run(values)
    }
  }
}

/** The first row is full, the second as empty as it may be, and every pair of columns is met in all four ways. */
function leavesNull(row: number, column: number): boolean {
  if (row < 2) return row === 1
  return ((column + 1) * (row * row + 7)) % 11 < 5
}

/** Words of a column are taken in turn, so that conditions of a migration are met and not met. */
function filling({ name, type, pk }: ColumnInfo, row: number, column: Column | undefined): unknown {
  if (pk === 0 && column?.enumValues?.length) return column.enumValues[row % column.enumValues.length]
  if (column?.dataType === 'json') return JSON.stringify([{ row }])
  if (column?.dataType === 'boolean') return row % 2
  switch (type.toLowerCase()) {
    case 'integer':
      return 1_700_000_000_000 + row
    case 'real':
      return row + 0.5
    case 'blob':
      return Buffer.from([row, 0, 255])
    default:
      return `${name} ${row}`
  }
}

type Contents = ReadonlyMap<string, readonly Record<string, unknown>[]>

function contentsOf(sqlite: Database): Contents {
  return new Map(
    tablesIn(sqlite).map(table => [
      table,
      sqlite.prepare<[], Record<string, unknown>>(`select * from "${table}" order by rowid`).all(),
    ]),
  )
}

/** Every row of a table that is still there must be too, with what it held in the columns that are still there. */
function lost(before: Contents, after: Contents): string[] {
  return [...before].flatMap(([table, rows]) => {
    const now = after.get(table)
    if (!now) return []
    if (now.length !== rows.length) return [`${table} had ${rows.length} rows and has ${now.length}`]
    const columns = Object.keys(rows[0] ?? {}).filter(name => name in (now[0] ?? {}))
    const told = (row: Record<string, unknown>) => JSON.stringify(columns.map(name => row[name]))
    const there = new Set(now.map(told))
    const changed = rows.filter(row => !there.has(told(row))).length
    return changed === 0 ? [] : [`${changed} rows of ${table} do not hold what they held`]
  })
}

function checksOf(sqlite: Database): string[] {
  const orphans = sqlite.pragma('foreign_key_check') as { table: string; parent: string }[]
  const integrity = sqlite.pragma('integrity_check', { simple: true })
  return [
    ...new Set(
      orphans.map(({ table, parent }) => `rows of ${table} point to rows of ${parent} that do not exist`),
    ),
    ...(integrity === 'ok' ? [] : [`integrity check: ${integrity}`]),
  ]
}

/** What each table, index and trigger is made by. */
function schemaOf(sqlite: Database): ReadonlyMap<string, string> {
  const rows = sqlite
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'select type, name, sql from sqlite_schema',
    )
    .all()
  return new Map(rows.map(({ type, name, sql }) => [`${type} ${name}`, (sql ?? '').replace(/\s+/g, ' ')]))
}

function differences(migrated: ReadonlyMap<string, string>, scratch: ReadonlyMap<string, string>): string[] {
  return [...new Set([...migrated.keys(), ...scratch.keys()])]
    .filter(name => migrated.get(name) !== scratch.get(name))
    .map(name => `${name} is not what it is in a new database`)
}

/** The schema must read every row, and know every column: a select cannot tell what it leaves out. */
function readingFaults(sqlite: Database, table: SQLiteTable): string[] {
  const name = getTableName(table)
  const columns = new Set(infoOf(sqlite, name).map(each => each.name))
  const known = new Set(Object.values(getTableColumns(table)).map(each => each.name))
  const faults = [
    ...[...known.difference(columns)].map(
      column => `the schema reads ${name}.${column}, which does not exist`,
    ),
    ...[...columns.difference(known)].map(column => `the schema does not know ${name}.${column}`),
  ]
  if (faults.length > 0) return faults
  const read = drizzle(sqlite).select().from(table).all().length
  const there = contentsOf(sqlite).get(name)?.length ?? 0
  return read === there ? [] : [`the schema reads ${read} of ${there} rows of ${name}`]
}
