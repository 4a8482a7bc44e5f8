import Database from 'better-sqlite3'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { programRoot } from '../root.ts'
import { inWords } from './database-fault.ts'
import { withKeptStatements } from './kept-statements.ts'
import { isCurrent, migrationsTable } from './migrations.ts'

export type Db<Schema extends Record<string, unknown> = Record<string, never>> = BetterSQLite3Database<Schema>

/**
 * Opens a SQLite file for one program. WAL lets readers and the writer work concurrently; `synchronous = FULL`
 * because a confirmed record must survive a power cut.
 */
export function openSqlite(file: string): Database.Database {
  const sqlite = new Database(file)
  try {
    sqlite.pragma('journal_mode = WAL')
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('busy_timeout = 5000')
    return sqlite
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/**
 * The tables of one part of a program. `migrations` is a folder below the program’s root, in the source tree and in
 * the bundle alike. Every part has a migrations table of its own: in a shared one, drizzle skips every migration
 * older than the newest applied one of any part.
 */
export interface Tables<Schema extends Record<string, unknown>> {
  schema: Schema
  migrations: string
  /**
   * The part's name in databases, if it differs from the plugin's. A renamed plugin keeps its old name here, or an
   * existing database would run its migrations again.
   */
  part?: string
}

/** Opens the tables of `part` and runs the missing migrations. `tables.part` takes precedence over `part`. */
export function openTables<Schema extends Record<string, unknown>>(
  sqlite: Database.Database,
  part: string,
  tables: Tables<Schema> | undefined,
): Db<Schema> {
  if (!tables) return drizzle(withKeptStatements(sqlite)) as Db<Schema>
  return inWords(sqlite.name, 'database', () => migrated(sqlite, tables.part ?? part, tables))
}

function migrated<Schema extends Record<string, unknown>>(
  sqlite: Database.Database,
  part: string,
  tables: Tables<Schema>,
): Db<Schema> {
  const current = isCurrent(sqlite, part, tables.migrations)
  const db = drizzle(withKeptStatements(sqlite), { schema: tables.schema })
  if (current) return db
  // A migration lost in a power cut runs again, and the next confirmed record flushes it to disk: this saves a dozen
  // disk syncs at the first start.
  sqlite.pragma('synchronous = NORMAL')
  try {
    // Each of its statements runs once.
    migrate(drizzle(sqlite), {
      migrationsFolder: programRoot(tables.migrations),
      migrationsTable: migrationsTable(part),
    })
  } finally {
    sqlite.pragma('synchronous = FULL')
  }
  return db
}

/** Keeps a reference, or the garbage collector closes the lock file. */
const openLocks = new Set<Database.Database>()

/**
 * Locks `file` for this process until it ends, in whatever way: the kernel releases the lock. Waits up to `waitMs`
 * for another process to release it; returns null if that does not happen.
 */
export function holdLock(file: string, waitMs = 0): { release(): void } | null {
  const lock = new Database(file, { timeout: waitMs })
  try {
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
    openLocks.add(lock)
    return {
      release: () => {
        openLocks.delete(lock)
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return null
    throw error
  }
}
