import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Database } from 'better-sqlite3'
import { type Column, getTableColumns, getTableName, is } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { programRoot } from '../root.ts'
import { openSqlite, openTables, type Tables } from '../storage/database.ts'
import { columnsOf } from './database-columns.ts'
import { type Filling, fill, unmetCombinations } from './filled-database.ts'
import { expectedOf, historyOf, lost } from './migration-history.ts'

/** The migrations of one part, with the schema of its program. */
export interface MigrationChain {
  part: string
  tables: Tables<Record<string, unknown>>
}

/** The number of migrations in the chain. */
export function stepsOf({ tables }: MigrationChain): number {
  return tagsOf(tables).length
}

/**
 * Fills every table of a database that has the first `step` migrations, runs the others, and describes what is wrong
 * afterwards. `folder` is an empty folder to work in.
 */
export function faultsAfter(chain: MigrationChain, step: number, folder: string): string[] {
  const { sqlite } = filledAt(chain, step, folder)
  const scratch = openSqlite(':memory:')
  try {
    const done = tagsOf(chain.tables).slice(0, step)
    const expected = expectedOf(sqlite, historyOf(programRoot(chain.tables.migrations)), tag =>
      done.includes(tag),
    )
    const failure = migrationFailure(sqlite, chain)
    if (failure !== null) return [failure]
    openTables(scratch, chain.part, chain.tables)
    return [
      ...lost(sqlite, expected),
      ...checksOf(sqlite),
      ...differences(schemaOf(sqlite), schemaOf(scratch)),
      ...schemaTables(chain.tables.schema).flatMap(table => readingFaults(sqlite, table)),
    ]
  } finally {
    sqlite.close()
    scratch.close()
  }
}

/** Describes the combinations of values that the migrations after `step` are not tried with, although they should be. */
export function untriedAt(chain: MigrationChain, step: number, folder: string): string[] {
  const { sqlite, filling } = filledAt(chain, step, folder)
  try {
    return unmetCombinations(sqlite, filling)
  } finally {
    sqlite.close()
  }
}

function filledAt(
  chain: MigrationChain,
  step: number,
  folder: string,
): { sqlite: Database; filling: Filling } {
  const sqlite = openSqlite(':memory:')
  openTables(sqlite, chain.part, { schema: {}, migrations: firstMigrations(chain, step, folder) })
  const filling = fillingAt(chain, step)
  fill(sqlite, filling)
  return { sqlite, filling }
}

function fillingAt({ tables }: MigrationChain, step: number): Filling {
  const coming = tagsOf(tables).slice(step)
  const { words } = historyOf(programRoot(tables.migrations))
  return {
    known: knownColumns(tables.schema),
    words: new Map(
      words.filter(({ before }) => coming.includes(before)).map(({ column, words }) => [column, words]),
    ),
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

function tagsOf({ migrations }: MigrationChain['tables']): string[] {
  return journalOf(programRoot(migrations)).entries.map(({ tag }) => tag)
}

/**
 * A copy of the chain that ends after `step` migrations, as a path below the program's root. `edit` may change the
 * text of each.
 */
export function firstMigrations(
  { tables }: MigrationChain,
  step: number,
  copy: string,
  edit: (sql: string, tag: string) => string = sql => sql,
): string {
  const folder = programRoot(tables.migrations)
  const journal = journalOf(folder)
  const entries = journal.entries.slice(0, step)
  cpSync(join(folder, 'meta'), join(copy, 'meta'), { recursive: true })
  for (const { tag } of entries)
    writeFileSync(join(copy, `${tag}.sql`), edit(readFileSync(join(folder, `${tag}.sql`), 'utf8'), tag))
  writeFileSync(join(copy, 'meta', '_journal.json'), JSON.stringify({ ...journal, entries }))
  return relative(programRoot(), copy)
}

function schemaTables(schema: Record<string, unknown>): SQLiteTable[] {
  return Object.values(schema).filter((each): each is SQLiteTable => is(each, SQLiteTable))
}

/** The current columns by `table.column`. */
function knownColumns(schema: Record<string, unknown>): ReadonlyMap<string, Column> {
  return new Map(
    schemaTables(schema).flatMap(table =>
      Object.values(getTableColumns(table)).map(
        column => [`${getTableName(table)}.${column.name}`, column] as const,
      ),
    ),
  )
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

/** The SQL of each table, index and trigger. */
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

/** The schema must read every row and know every column: a select cannot report columns that it leaves out. */
function readingFaults(sqlite: Database, table: SQLiteTable): string[] {
  const name = getTableName(table)
  const columns = new Set(columnsOf(sqlite, name).map(each => each.name))
  const known = new Set(Object.values(getTableColumns(table)).map(each => each.name))
  const faults = [
    ...[...known.difference(columns)].map(
      column => `the schema reads ${name}.${column}, which does not exist`,
    ),
    ...[...columns.difference(known)].map(column => `the schema does not know ${name}.${column}`),
  ]
  if (faults.length > 0) return faults
  const read = drizzle(sqlite).select().from(table).all().length
  const there = sqlite.prepare<[], number>(`select count(*) from "${name}"`).pluck().get() ?? 0
  return read === there ? [] : [`the schema reads ${read} of ${there} rows of ${name}`]
}
