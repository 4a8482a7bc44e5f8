import type { Fleet } from '../records/fleet.ts'
import { findInstance } from '../records/instance.ts'
import { openOperationOf } from '../records/operation.ts'
import { findRollback, removeRollback } from '../records/pinned-image.ts'
import { forgetKept, isKept, keptUpgrades } from '../volumes/kept.ts'
import { clearRestore, isSettled, leftRestores, restoreFolders } from '../volumes/restored.ts'
import { oneByOne } from './one-by-one.ts'

type Records = Pick<Fleet, 'db' | 'site'>

/** Deletes what operations left behind of all instances: those that were superseded, or killed as they ended. Throws at the end. */
export async function clearAllLeftData(fleet: Records): Promise<void> {
  const { dataRoot } = fleet.site
  const ids = new Set([...(await leftRestores(dataRoot)), ...(await keptUpgrades(dataRoot))])
  await oneByOne(ids, id => clearLeftData(fleet, id))
}

/**
 * Deletes what operations left behind of one instance that has none in progress. The previous data of a restore are kept until the
 * instance runs on the restored ones, or is purged; the data of before an upgrade while it can go back to them.
 */
export async function clearLeftData({ db, site }: Records, instanceId: string): Promise<void> {
  const instance = findInstance(db, instanceId)
  if (!instance || openOperationOf(db, instanceId)) return
  const folders = restoreFolders(site.dataRoot, instanceId)
  const isUsed = instance.status === 'running' || instance.purgedAt !== null
  if (isUsed || (await isSettled(folders))) await clearRestore(folders)
  const rollback = findRollback(db, instanceId)
  // A later upgrade that failed took their place: nothing can go back to data that are gone.
  if (rollback && !(await isKept(site.dataRoot, instanceId, rollback.operationId))) {
    if (!openOperationOf(db, instanceId)) removeRollback(db, instanceId)
  } else if (rollback === null) await forgetKept(site.dataRoot, instanceId)
}
