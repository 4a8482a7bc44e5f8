import { closeSync, openSync, readSync } from 'node:fs'
import Database from 'better-sqlite3'

const magic = Buffer.from('SQLite format 3\0')
/** All in one step. A step holds one view of the database, and writers go on meanwhile. */
const allPages = 0x7fff_ffff

/** Whether a file begins as a SQLite database does. False for one that cannot be read. */
export function isDatabase(file: string | Buffer): boolean {
  let fd: number | null = null
  try {
    fd = openSync(file, 'r')
    const head = Buffer.alloc(magic.length)
    return readSync(fd, head, 0, head.length, 0) === head.length && head.equals(magic)
  } catch {
    return false
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

/**
 * Copies a SQLite database as it is at this moment to `to`, with SQLite's own backup interface: every confirmed record is in
 * the copy, whether it is in the file or still in the write-ahead log. Waits up to `patienceMs` for its lock. Returns the rows of
 * each table.
 */
export async function copyDatabase(
  file: string,
  to: string,
  patienceMs: number,
): Promise<Record<string, number>> {
  const source = new Database(file, { readonly: true, fileMustExist: true, timeout: patienceMs })
  try {
    await source.backup(to, { progress: () => allPages })
  } finally {
    source.close()
  }
  const copy = new Database(to, { fileMustExist: true })
  try {
    // One file, without a log beside it.
    copy.pragma('journal_mode = DELETE')
    return rowsOf(copy)
  } finally {
    copy.close()
  }
}

/** How many rows each table of a database has. */
export function rowsOf(database: Database.Database): Record<string, number> {
  const tables = database
    .prepare<[], { name: string }>(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and sql not like 'create virtual%' order by name",
    )
    .all()
  return Object.fromEntries(
    tables.map(({ name }) => [
      name,
      database
        .prepare<[], number>(`select count(*) from "${name.replaceAll('"', '""')}"`)
        .pluck()
        .get() ?? 0,
    ]),
  )
}
