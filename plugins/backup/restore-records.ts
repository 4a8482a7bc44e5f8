import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { BootError } from '../../src/boot-error.ts'
import type { Environment } from '../../src/kernel/config.ts'
import { parseConfig } from '../../src/kernel/config.ts'
import { holdLock } from '../../src/storage/database.ts'
import { isDiskFull } from '../../src/storage/disk.ts'
import { instancesIn } from './copies/control-records.ts'
import { backupConfig, passwordFileOf, storeOf } from './settings.ts'
import type { Store, StoredCopy } from './store/store.ts'

/** Says to the next start that the records came from the store, so the volumes are to come from there as well. */
export const restoredMark = (control: string) => join(control, 'restored-from-store')

/** The records while they are fetched. It is there from the beginning to the end, so a start sees that a restore was interrupted. */
export const restoringDraft = (control: string) => join(control, 'longhouse.db.restoring')

export interface RestoredRecords {
  /** When the copy of the records was made. */
  createdAt: number
  /** Instances that have a record and no volume here, and how many of them have a copy in the store. */
  instances: number
  copied: number
  /** Keys that are not in their place, with what they are for. */
  missingKeys: { file: string; use: string }[]
}

/**
 * Puts the control plane's records of the newest copy in `store` into an empty data root. The next start restores the volumes.
 * Throws a BootError, with nothing changed, when there are records already, when the password of the store is missing, or when
 * the store has none.
 */
export async function restoreRecords(
  dataRoot: string,
  env: Environment,
  signal: AbortSignal,
): Promise<RestoredRecords> {
  const { config, faults } = parseConfig(backupConfig, env)
  if (!config) throw new BootError(faults)
  const control = join(dataRoot, '.control')
  const file = join(control, 'longhouse.db')
  if (existsSync(file))
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: ${file} exists: this data root has a control plane. Nothing was changed; restore into an empty one`,
    ])
  const passwordFile = passwordFileOf(config, control)
  if (!existsSync(passwordFile))
    throw new BootError([
      `BACKUP_PASSWORD_FILE: put the password of the store into ${passwordFile}, with mode 0600. Nothing was changed`,
    ])
  mkdirSync(control, { recursive: true, mode: 0o700 })
  // A control plane that started now would begin with records of its own, which the end of this would replace.
  const lock = holdLock(join(control, 'lock'))
  if (!lock)
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: a control plane, or another restore, runs on ${dataRoot}. Nothing was changed`,
    ])
  const draft = restoringDraft(control)
  try {
    removeBeside(draft)
    writeFileSync(draft, '', { mode: 0o600, flush: true })
    const store = storeOf(config, control)
    await store.open({ inUse: true })
    const all = await store.list()
    const newestFirst = all
      .filter(({ tags }) => tags === null)
      .toSorted((one, other) => other.createdAt - one.createdAt)
    if (newestFirst.length === 0)
      throw new BootError([`BACKUP_STORE: ${store.address} has no backup of a control plane's records`])
    const { createdAt, ids } = await fetchNewest(store, newestFirst, draft, signal)
    writeFileSync(restoredMark(control), '', { flush: true })
    renameSync(draft, file)
    const copied = new Set(all.map(({ tags }) => tags?.instance))
    return {
      createdAt,
      instances: ids.length,
      copied: ids.filter(id => copied.has(id)).length,
      missingKeys: keys(control, env).filter(({ file }) => !existsSync(file)),
    }
  } finally {
    removeBeside(draft)
    rmSync(draft, { force: true })
    lock.release()
  }
}

/** Removes what SQLite keeps beside a file that it was looking at when it was killed. */
function removeBeside(draft: string): void {
  for (const ending of ['-wal', '-shm', '-journal']) rmSync(`${draft}${ending}`, { force: true })
}

/** Fetches the newest copy of the records that is whole. Throws what is wrong with the newest one when none is. */
async function fetchNewest(
  store: Store,
  newestFirst: readonly StoredCopy[],
  draft: string,
  signal: AbortSignal,
): Promise<{ createdAt: number; ids: string[] }> {
  let first: unknown
  for (const { snapshot, createdAt } of newestFirst) {
    try {
      await fetchDatabase(store, snapshot, draft, signal)
      return { createdAt, ids: instancesIn(draft) }
    } catch (error) {
      if (signal.aborted || isDiskFull(error)) throw error
      first ??= error
    }
  }
  throw first
}

async function fetchDatabase(
  store: Store,
  snapshot: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const output = createWriteStream(file, { mode: 0o600, flush: true })
  const written = new Promise<void>((resolve, reject) => {
    output.once('close', resolve)
    output.once('error', reject)
  })
  await Promise.all([store.read(snapshot, output, signal), written])
  const database = new Database(file, { fileMustExist: true })
  try {
    const result = database.pragma('integrity_check', { simple: true })
    if (result !== 'ok') throw new Error(`the copy of the records is damaged: ${String(result)}`)
  } finally {
    database.close()
  }
}

function keys(control: string, env: Environment) {
  const file = (name: string) => join(control, name)
  return [
    ...(env.INSTANCE_SECRETS_KEY
      ? []
      : [{ file: file('instance-secrets-key'), use: 'opens the secrets that customers stored' }]),
    ...(env.ADMIN_TOKEN
      ? []
      : [{ file: file('admin-token'), use: 'is the operator’s token; without it a new one is made' }]),
  ]
}
