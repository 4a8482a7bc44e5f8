import type { Database } from 'better-sqlite3'
import type { Column } from 'drizzle-orm'
import { type ColumnInfo, columnsOf, foreignKeysOf, tablesIn } from './database-columns.ts'

/** How to fill columns besides their types, by `table.column`. */
export interface Filling {
  /** The current columns. */
  known: ReadonlyMap<string, Column>
  /** The words of columns that had other words at this step. */
  words: ReadonlyMap<string, readonly string[]>
}

/**
 * Which rows of a block leave which nullable columns null: the first row none, the second row every one, and of the
 * other eleven rows six for each column. No set of six contains another, so every pair of columns occurs in all four
 * combinations of filled and null.
 */
const emptyRows = sixOfEleven()
const rowsInBlock = 2 + 11

/** All sets of six of the numbers from 2 to 12. */
function sixOfEleven(): ReadonlySet<number>[] {
  const sets: ReadonlySet<number>[] = []
  for (let bits = 0; bits < 2 ** 11; bits++) {
    const rows = Array.from({ length: 11 }, (_, at) => at).filter(at => bits & (1 << at))
    if (rows.length === 6) sets.push(new Set(rows.map(at => at + 2)))
  }
  return sets
}

/**
 * Fills every table with the same number of rows. Every pair of nullable columns occurs in all four combinations, and
 * every value of every enumerated column occurs beside each other column filled and null, so that all conditions of a
 * migration are tested both ways.
 */
export function fill(sqlite: Database, filling: Filling): void {
  const tables = parentsFirst(sqlite)
  // One block per value of the column with the most values.
  const blocks = Math.max(
    ...tables.flatMap(table =>
      columnsOf(sqlite, table).map(column => wordsOf(table, column, filling).length),
    ),
    1,
  )
  const keys = new Map<string, unknown>()
  for (const table of tables) {
    const columns = columnsOf(sqlite, table)
    const nullable = columns.filter(isNullable)
    const parents = foreignKeysOf(sqlite, table)
    const insert = sqlite.prepare(
      `insert into "${table}" (${columns.map(({ name }) => `"${name}"`)}) values (${columns.map(() => '?')})`,
    )
    for (let row = 0; row < blocks * rowsInBlock; row++) {
      const inBlock = row % rowsInBlock
      const values = columns.map((column, at) => {
        const place = nullable.indexOf(column)
        const isNull = place >= 0 && (inBlock === 1 || emptyRows[place]?.has(inBlock))
        const parent = parents.find(({ from }) => from === column.name)
        const words = wordsOf(table, column, filling)
        const value = isNull
          ? null
          : parent
            ? keys.get(`${parent.table}.${parent.to ?? 'id'} ${row}`)
            : words.length > 0
              ? // Each row of the block gets each word in one of the blocks.
                words[(Math.floor(row / rowsInBlock) + inBlock * at) % words.length]
              : valueFor(column, row, filling.known.get(`${table}.${column.name}`))
        keys.set(`${table}.${column.name} ${row}`, value)
        return value
      })
      insert.run(values)
    }
  }
}

/** Describes the combinations that `fill` promises and a filled database lacks. */
export function unmetCombinations(sqlite: Database, filling: Filling): string[] {
  return tablesIn(sqlite).flatMap(table => {
    const rows = sqlite.prepare<[], Record<string, unknown>>(`select * from "${table}"`).all()
    const columns = columnsOf(sqlite, table)
    const nullStates = columns.filter(isNullable).flatMap(({ name }): State[] => [
      { name, says: `${name} is null`, holds: row => row[name] === null },
      { name, says: `${name} is filled`, holds: row => row[name] !== null },
    ])
    const wordStates = columns.flatMap(column =>
      wordsOf(table, column, filling).map(
        (word): State => ({
          name: column.name,
          says: `${column.name} is ${word}`,
          holds: row => row[column.name] === word,
        }),
      ),
    )
    return [...nullStates, ...wordStates].flatMap(one =>
      nullStates
        .filter(other => other.name !== one.name && !rows.some(row => one.holds(row) && other.holds(row)))
        .map(other => `${table}: ${one.says}, ${other.says}`),
    )
  })
}

/** A possible state of a column in a row. */
interface State {
  name: string
  says: string
  holds(row: Record<string, unknown>): boolean
}

const isNullable = ({ notnull, pk }: ColumnInfo) => notnull === 0 && pk === 0

/** The tables, each after those that its foreign keys reference. */
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

/** The values of an enumerated column; none if it accepts any. */
function wordsOf(table: string, { name, pk }: ColumnInfo, { known, words }: Filling): readonly unknown[] {
  if (pk !== 0) return []
  const column = known.get(`${table}.${name}`)
  if (column?.dataType === 'boolean') return [0, 1]
  return words.get(`${table}.${name}`) ?? column?.enumValues ?? []
}

function valueFor({ name, type }: ColumnInfo, row: number, column: Column | undefined): unknown {
  if (column?.dataType === 'json') return JSON.stringify([{ row }])
  switch (type.toLowerCase()) {
    case 'integer':
      return 1_700_000_000_000 + row
    case 'real':
      return row + 0.5
    case 'blob':
      return Buffer.from([row % 256, row >> 8, 255])
    default:
      return `${name} ${row}`
  }
}
