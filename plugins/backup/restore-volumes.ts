import { existsSync, rmSync } from 'node:fs'
import type { Logger } from '../../src/log.ts'
import { type CopyReason, copyReasons, type ProvisionerService } from '../provisioner/contract.ts'
import { type BackupDb, findCopy, keptCopies, restorableCopies, updateCopy } from './copies/copies.ts'
import { restoredMark } from './restore-records.ts'
import { copies } from './schema.ts'
import type { OpenStore } from './store/open-store.ts'
import type { StoredCopy } from './store/store.ts'

/**
 * After the records came from the store: takes in the copies that were made after them, and has each instance restored from
 * its newest one, or the one before it if that cannot be unpacked. The mark goes last, so that a start which is killed here is
 * repeated. When the store cannot be reached, the mark stays, and instances without a volume say so until the next start.
 */
export async function restoreVolumes(parts: {
  db: BackupDb
  store: OpenStore
  provisioner: ProvisionerService
  log: Logger
  control: string
}): Promise<void> {
  const { db, store, provisioner, log, control } = parts
  const mark = restoredMark(control)
  if (!existsSync(mark)) return
  try {
    const stored = await (await store.ready()).list()
    db.transaction(() => takeIn(db, stored))
  } catch (error) {
    log.error(
      { err: error },
      'the volumes cannot be restored: the backup store does not answer; start again when it does',
    )
    return
  }
  const left = provisioner.restoreAll(instanceId => restorableCopies(db, instanceId)[0]?.id ?? null)
  if (left.length > 0) log.error({ instances: left }, 'these instances have no backup, and no volume')
  rmSync(mark)
}

/**
 * Records copies that are in the store and not in the records, and those that were deleted from the store. What the records
 * have given up stays so: an upload that was refused, and a copy that is being deleted.
 */
function takeIn(db: BackupDb, stored: readonly StoredCopy[]): void {
  for (const { snapshot, createdAt, tags } of stored) {
    if (!tags) continue
    const { copy: id, instance: instanceId, name: subdomain, image } = tags
    const known = findCopy(db, id)
    const kept = { status: 'kept', snapshot, error: null } as const
    if (!known)
      db.insert(copies)
        .values({
          ...{ ...kept, id, instanceId, subdomain, image, createdAt, finishedAt: createdAt },
          reason: reasonOf(tags.reason),
        })
        .run()
    // It was waiting, or had failed and was made again: the store keeps only what was written to its end.
    else if (known.reason !== 'upload' && ['waiting', 'failed'].includes(known.status))
      updateCopy(db, id, kept)
  }
  const there = new Set(stored.map(({ snapshot }) => snapshot))
  for (const instanceId of new Set(stored.flatMap(({ tags }) => tags?.instance ?? [])))
    for (const { id, snapshot } of keptCopies(db, instanceId))
      if (snapshot === null || !there.has(snapshot))
        updateCopy(db, id, { status: 'forgotten', snapshot: null })
}

function reasonOf(text: string): CopyReason {
  return copyReasons.find(reason => reason === text) ?? 'demand'
}
