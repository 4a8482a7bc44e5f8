import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { BootError } from '../src/boot-error.ts'
import { isCurrent, type MigrationFolders } from '../src/storage/migrations.ts'

/** Copies that are kept. */
const kept = 3

const copiesIn = (folder: string) => join(folder, 'before-upgrade')
/** There while an upgrade is not complete: a start that failed half-way must not take what it left for the state of before. */
const unfinished = (folder: string) => join(copiesIn(folder), 'unfinished')

/**
 * Copies the records when migrations are about to change them: an older version cannot open what comes after. Call it with the
 * data root locked. Throws a BootError when there is no room: without a copy there is no way back. An empty database, and one
 * that is current, are not copied.
 */
export function copyBeforeMigrations(
  sqlite: Database,
  parts: MigrationFolders,
  folder: string,
  now: number,
): void {
  const tables = sqlite.prepare("select count(*) from sqlite_schema where type = 'table'").pluck().get()
  if (tables === 0) return
  if (Object.entries(parts).every(([part, migrations]) => isCurrent(sqlite, part, migrations))) return
  if (existsSync(unfinished(folder))) return
  const copies = copiesIn(folder)
  const file = join(copies, `longhouse-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}.db`)
  try {
    mkdirSync(copies, { recursive: true, mode: 0o700 })
    // No other process writes: with the journal in it, the file alone is the database. Where the disk can, it shares the blocks.
    sqlite.pragma('wal_checkpoint(TRUNCATE)')
    copyFileSync(sqlite.name, `${file}.draft`, constants.COPYFILE_FICLONE)
    const draft = openSync(`${file}.draft`, 'r+')
    fsyncSync(draft)
    closeSync(draft)
    renameSync(`${file}.draft`, file)
    writeFileSync(unfinished(folder), '')
  } catch (error) {
    rmSync(`${file}.draft`, { force: true })
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: the records cannot be copied to ${file} before they are upgraded: ${(error as Error).message}. Nothing was changed; make room, then start again`,
    ])
  }
  for (const old of listCopies(folder).slice(kept)) rmSync(join(copies, old), { force: true })
}

/** Every migration has run: the next upgrade gets a copy of its own. */
export function upgradeIsComplete(folder: string): void {
  rmSync(unfinished(folder), { force: true })
}

/** The newest copy that was made before an upgrade; null without one. */
export function newestCopy(folder: string): string | null {
  const [newest] = listCopies(folder)
  return newest === undefined ? null : join(copiesIn(folder), newest)
}

/** Newest first. */
function listCopies(folder: string): string[] {
  try {
    return readdirSync(copiesIn(folder))
      .filter(name => /^longhouse-.*\.db$/.test(name))
      .sort()
      .reverse()
  } catch {
    return []
  }
}
