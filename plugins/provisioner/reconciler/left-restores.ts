import type { Fleet } from '../records/fleet.ts'
import { findInstance } from '../records/instance.ts'
import { openOperationOf } from '../records/operation.ts'
import { clearRestore, leftRestores, restoreFolders } from '../volumes/restored.ts'

/**
 * Deletes what restores left behind that another operation superseded. The previous data are kept until the instance runs on the
 * restored ones, or is purged.
 */
export async function clearLeftRestores({ db, site }: Pick<Fleet, 'db' | 'site'>): Promise<void> {
  for (const id of await leftRestores(site.dataRoot)) {
    const instance = findInstance(db, id)
    if (!instance || openOperationOf(db, id)) continue
    if (instance.status === 'running' || instance.purgedAt !== null)
      await clearRestore(restoreFolders(site.dataRoot, id))
  }
}
