import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { BootError } from '../boot-error.ts'
import { programRoot } from '../root.ts'
import { version } from '../version.ts'
import { inWords } from './database-fault.ts'

/** The parts of a program with tables: each by its name, with its migration folder. */
export type MigrationFolders = Readonly<Record<string, string>>

const suffix = '_migrations'

/** The table in which a part records its applied migrations. */
export const migrationsTable = (part: string) => `${part}${suffix}`

/**
 * Throws a BootError if `file` has applied migrations that this program does not have, in any part: a newer version
 * wrote it. `parts` must contain every part of the program. Only reads, so the newer version finds the file
 * unchanged. `setting` names the variable with the file's path.
 */
export function refuseNewerDatabase(file: string, parts: MigrationFolders, setting: string): void {
  if (!existsSync(file)) return
  inWords(file, setting, () => refuseNewer(file, parts, setting))
}

function refuseNewer(file: string, parts: MigrationFolders, setting: string): void {
  const sqlite = new Database(file, { readonly: true })
  try {
    const unknown = partsIn(sqlite).flatMap(part => {
      const count = unknownMigrations(sqlite, part, parts[part])
      return count > 0 ? [`${part}: ${count}`] : []
    })
    if (unknown.length > 0) throw newer(file, unknown, setting)
  } finally {
    sqlite.close()
  }
}

/**
 * True if the newest migration of a part is applied, on an open database: drizzle would read and hash every one of them to find that
 * out. Throws a BootError if it has migrations that its folder does not have.
 */
export function isCurrent(sqlite: Database.Database, part: string, folder: string): boolean {
  if (!hasTable(sqlite, migrationsTable(part))) return false
  const [known, applied] = [knownMigrations(folder), appliedMigrations(sqlite, part)]
  const count = applied.filter(at => !known.includes(at)).length
  if (count > 0) throw newer(sqlite.name, [`${part}: ${count}`], 'database')
  return Math.max(0, ...applied) >= Math.max(0, ...known)
}

function hasTable(sqlite: Database.Database, name: string): boolean {
  return (
    sqlite.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined
  )
}

function newer(file: string, unknown: readonly string[], setting: string): BootError {
  return new BootError([
    `${setting}: a newer version of Longhouse wrote ${file}: it has migrations that this version, ${version}, does not know (${unknown.join(', ')}). Nothing was changed. Start the newer version again, or restore a backup made before the upgrade`,
  ])
}

function partsIn(sqlite: Database.Database): string[] {
  return sqlite
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'")
    .all()
    .flatMap(({ name }) => (name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []))
}

/** The number of a part's applied migrations that are not in its folder; a part without a folder knows none. */
function unknownMigrations(sqlite: Database.Database, part: string, folder: string | undefined): number {
  const known = new Set(folder === undefined ? [] : knownMigrations(folder))
  return appliedMigrations(sqlite, part).filter(at => !known.has(at)).length
}

function appliedMigrations(sqlite: Database.Database, part: string): number[] {
  return sqlite
    .prepare<[], { at: number }>(`select created_at as at from "${quoted(part)}"`)
    .all()
    .map(({ at }) => Number(at))
}

const quoted = (part: string) => migrationsTable(part).replaceAll('"', '""')

/** A migration is identified by its time, because its text may be formatted differently. */
function knownMigrations(folder: string): number[] {
  const journal = readFileSync(join(programRoot(folder), 'meta', '_journal.json'), 'utf8')
  return (JSON.parse(journal) as { entries: { when: number }[] }).entries.map(({ when }) => when)
}
