import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { restoringDraft } from '../plugins/backup/index.ts'
import type { Site } from '../plugins/site/contract.ts'
import { BootError } from '../src/boot-error.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { migrationsOf } from '../src/kernel/program.ts'
import type { Releases } from '../src/kernel/releases.ts'
import { holdLock, openSqlite } from '../src/storage/database.ts'
import { inWords } from '../src/storage/database-fault.ts'
import { refuseNewerDatabase } from '../src/storage/migrations.ts'
import { copyBeforeMigrations, newestCopy } from './records-copy.ts'

/**
 * Locks the data root for this process and opens the control plane's own database in `folder`. Throws a BootError when
 * another control plane runs there, when the database is newer than this program, and when a file cannot be used. Where the
 * program is newer, a copy of the records is made first.
 */
export function openDatabase(
  site: Site,
  folder: string,
  plugins: readonly Plugin[],
  releases: Releases,
  now: number,
) {
  const lock = inDataRoot(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return holdLock(join(folder, 'lock'))
  })
  const draft = restoringDraft(folder)
  const isRestoring = existsSync(draft)
  if (!lock)
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: ${isRestoring ? 'a restore' : 'another control plane'} runs on ${site.dataRoot}; stop it first`,
    ])
  releases.add(() => lock.release())
  if (isRestoring)
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: the restore into ${site.dataRoot} was interrupted. Run the restore again; to start with no records instead, delete ${draft}`,
    ])

  const file = join(folder, 'longhouse.db')
  const parts = migrationsOf(plugins)
  const sqlite = inDataRoot(file, () => {
    try {
      refuseNewerDatabase(file, parts, 'LONGHOUSE_DATA_ROOT')
    } catch (error) {
      throw withCopy(error, folder)
    }
    return inWords(file, 'LONGHOUSE_DATA_ROOT', () => openSqlite(file))
  })
  releases.add(() => sqlite.close())
  copyBeforeMigrations(sqlite, parts, folder, now)
  return sqlite
}

/** The refusal of a newer database, with the copy that an older version can go back to. */
function withCopy(error: unknown, folder: string): unknown {
  const copy = newestCopy(folder)
  if (!(error instanceof BootError) || copy === null) return error
  return new BootError([...error.faults, `The records as they were before the last upgrade are in ${copy}`])
}

/** Faults of the data root are for the operator to fix: reported in words, without a stack. */
function inDataRoot<T>(file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof BootError) throw error
    throw new BootError([`LONGHOUSE_DATA_ROOT: cannot use ${file}: ${(error as Error).message}`])
  }
}
