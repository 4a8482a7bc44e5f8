import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { z } from 'zod'
import { columnsOf, tablesIn } from './database-columns.ts'

const columnName = z.string().regex(/^\w+\.\w+$/)
const fileName = 'meta/_history.json'

/**
 * The deliberate changes that the migrations of a part make to values, declared in `meta/_history.json` beside them. Columns
 * are written `table.column`; `before` is the tag of the migration that makes the change.
 */
const historySchema = z.strictObject({
  /** Where the values of a dropped column went. */
  moved: z
    .array(
      z.strictObject({
        column: columnName,
        movedTo: columnName,
        /** The key column of the old table, and the column of the new table that refers to it. */
        by: z.tuple([z.string(), z.string()]),
        /** An SQL condition: the rows of the old table whose values are kept. Default: all. */
        where: z.string().optional(),
        /** The value that replaces null. */
        nullAs: z.string().optional(),
      }),
    )
    .default([]),
  /** Values that are replaced. */
  replaced: z
    .array(z.strictObject({ before: z.string(), column: columnName, where: z.string(), with: z.null() }))
    .default([]),
  /** The words that a column had until then. */
  words: z
    .array(z.strictObject({ before: z.string(), column: columnName, words: z.array(z.string()) }))
    .default([]),
})
export type MigrationHistory = z.infer<typeof historySchema>

/** Reads the declaration of a folder of migrations; an empty one where there is no file. */
export function historyOf(folder: string): MigrationHistory {
  const file = join(folder, fileName)
  return historySchema.parse(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})
}

/** Values by the key of their row. */
type Values = ReadonlyMap<unknown, unknown>

/** What a filled database must hold after its migrations. */
export interface Expected {
  tables: ReadonlyMap<string, { columns: readonly string[]; rows: readonly Record<string, unknown>[] }>
  moved: readonly { column: string; movedTo: string; key: string; values: Values }[]
}

/**
 * Reads what a database must hold once its missing migrations have run. `has` returns whether it already has the migration
 * with a tag.
 */
export function expectedOf(
  sqlite: Database,
  history: MigrationHistory,
  has: (tag: string) => boolean,
): Expected {
  const tables = new Map(
    tablesIn(sqlite).map(table => [
      table,
      { columns: columnsOf(sqlite, table).map(({ name }) => name), rows: rowsOf(sqlite, table) },
    ]),
  )
  const moved = history.moved.flatMap(({ column, movedTo, by, where = 'true', nullAs = null }) => {
    const [table = '', name = ''] = column.split('.')
    if (!tables.get(table)?.columns.includes(name)) return []
    const rows = sqlite
      .prepare<[], { id: unknown; value: unknown }>(
        `select "${by[0]}" as id, "${name}" as value from "${table}" where ${where}`,
      )
      .all()
    return [
      { column, movedTo, key: by[1], values: new Map(rows.map(({ id, value }) => [id, value ?? nullAs])) },
    ]
  })
  for (const { before, column, where, with: value } of history.replaced) {
    const [table = '', name = ''] = column.split('.')
    if (has(before) || !tables.get(table)?.columns.includes(name)) continue
    const replaced = sqlite.prepare<[], 0 | 1>(`select ${where} from "${table}" order by rowid`).pluck().all()
    for (const [at, row] of (tables.get(table)?.rows ?? []).entries()) if (replaced[at]) row[name] = value
  }
  return { tables, moved }
}

/** Describes what a migrated database has lost. */
export function lost(sqlite: Database, { tables, moved }: Expected): string[] {
  const now = new Map(
    tablesIn(sqlite).map(table => [table, columnsOf(sqlite, table).map(({ name }) => name)]),
  )
  const dropped = [...tables].flatMap(([table, { columns }]) =>
    columns.filter(name => !now.get(table)?.includes(name)).map(name => `${table}.${name}`),
  )
  return [
    ...dropped
      .filter(column => !moved.some(each => each.column === column))
      .map(column => `${column} was dropped, and ${fileName} does not say where its values went`),
    ...moved
      .filter(({ column }) => dropped.includes(column))
      .flatMap(each => lostOnTheWay(sqlite, each, now)),
    ...[...tables].flatMap(([table, { columns, rows }]) => {
      const kept = now.get(table)?.filter(name => columns.includes(name))
      return kept ? changedRows(table, kept, rows, rowsOf(sqlite, table)) : []
    }),
  ]
}

function lostOnTheWay(
  sqlite: Database,
  { column, movedTo, key, values }: Expected['moved'][number],
  now: ReadonlyMap<string, readonly string[]>,
): string[] {
  const [table = '', name = ''] = movedTo.split('.')
  if (!now.get(table)?.includes(name)) return [`${column} moved to ${movedTo}, which does not exist`]
  // A comparison of nothing but nulls would prove nothing.
  if (![...values.values()].some(value => value !== null))
    return [`no value of ${column} is declared to move to ${movedTo}`]
  const found = new Map(
    sqlite
      .prepare<[], { id: unknown; value: unknown }>(
        `select "${key}" as id, "${name}" as value from "${table}"`,
      )
      .all()
      .map(({ id, value }) => [id, value]),
  )
  const missing = [...values].filter(([id, value]) => !found.has(id) || !isSame(found.get(id), value)).length
  return missing === 0 ? [] : [`${missing} values of ${column} are not in ${movedTo}`]
}

/** Every row must still exist, with the same values in the remaining columns. */
function changedRows(
  table: string,
  columns: readonly string[],
  before: readonly Record<string, unknown>[],
  after: readonly Record<string, unknown>[],
): string[] {
  if (after.length !== before.length) return [`${table} had ${before.length} rows and has ${after.length}`]
  const textOf = (row: Record<string, unknown>) => JSON.stringify(columns.map(name => row[name]))
  const there = new Set(after.map(textOf))
  const changed = before.filter(row => !there.has(textOf(row))).length
  return changed === 0 ? [] : [`${changed} rows of ${table} do not hold what they held`]
}

function rowsOf(sqlite: Database, table: string): Record<string, unknown>[] {
  const { wr: ordersItself } = sqlite
    .prepare<[string], { wr: number }>('select wr from pragma_table_list where name = ?')
    .get(table) ?? { wr: 0 }
  const order = ordersItself ? '' : ' order by rowid'
  return sqlite.prepare<[], Record<string, unknown>>(`select * from "${table}"${order}`).all()
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
