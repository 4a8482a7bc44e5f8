import { existsSync, rmSync } from 'node:fs'
import type { Logger } from '../../src/log.ts'
import { type CopyReason, copyReasons, type ProvisionerService } from '../provisioner/contract.ts'
import { type BackupDb, findCopy, keptCopies } from './copies/copies.ts'
import { restoredMark } from './restore-records.ts'
import { copies } from './schema.ts'
import type { OpenStore } from './store/open-store.ts'

/**
 * After the records came from the store: takes in the copies that were made after them, and has each instance restored from
 * its newest one. The mark goes last, so that a start which is killed here is repeated. When the store cannot be reached, the
 * mark stays, and instances without a volume say so until the next start.
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
    await takeIn(db, store)
  } catch (error) {
    log.error(
      { err: error },
      'the volumes cannot be restored: the backup store does not answer; start again when it does',
    )
    return
  }
  const newest = (instanceId: string) => keptCopies(db, instanceId)[0]?.id ?? null
  const left = provisioner.restoreAll(newest)
  if (left.length > 0) log.error({ instances: left }, 'these instances have no backup, and no volume')
  rmSync(mark)
}

/** Records copies that are in the store and not in the records. */
async function takeIn(db: BackupDb, store: OpenStore): Promise<void> {
  const stored = await (await store.ready()).list()
  db.transaction(tx => {
    for (const { snapshot, createdAt, tags } of stored) {
      if (!tags) continue
      const known = findCopy(db, tags.copy)
      if (known?.status === 'kept') continue
      const { copy: id, instance: instanceId, name: subdomain, image } = tags
      const row = { ...{ id, instanceId, subdomain, image, createdAt, snapshot }, status: 'kept' as const }
      tx.insert(copies)
        .values({ ...row, reason: reasonOf(tags.reason), finishedAt: createdAt })
        .onConflictDoUpdate({ target: copies.id, set: { status: 'kept', snapshot, error: null } })
        .run()
    }
  })
}

function reasonOf(text: string): CopyReason {
  return copyReasons.find(reason => reason === text) ?? 'demand'
}
