import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Plugin } from '../src/kernel/plugin.ts'
import { programRoot } from '../src/root.ts'
import { openSqlite, openTables } from '../src/storage/database.ts'

/** Below the program's root. */
export const newDatabaseFile = 'runtime/new.db'

/** Writes the database of a new instance: every table of the plugins, and nothing in them. The build keeps it beside the program. */
export function writeNewDatabase(file: string, plugins: readonly Plugin[]): void {
  const sqlite = openSqlite(file)
  try {
    for (const { name, tables } of plugins) openTables(sqlite, name, tables)
  } finally {
    // Closing it brings everything into the one file.
    sqlite.close()
  }
}

/**
 * Puts the database that the build made in the place of one that is not there: running all migrations takes ten times as long.
 * Leaves what is there alone; without anything there, and if it cannot be written, SQLite makes the database as usual. Written aside and
 * synced, so that the file is there whole or not at all; the first record that is written syncs the folder too.
 */
export function takeNewDatabase(file: string, made = programRoot(newDatabaseFile)): void {
  // What stands in a log without its database would be written into this one.
  if ([file, `${file}-wal`, `${file}-journal`].some(each => existsSync(each)) || !existsSync(made)) return
  const draft = `${file}.new`
  try {
    rmSync(draft, { recursive: true, force: true })
    writeFileSync(draft, readFileSync(made), { flag: 'wx', mode: 0o644, flush: true })
    renameSync(draft, file)
  } catch {
    rmSync(draft, { recursive: true, force: true })
  }
}
