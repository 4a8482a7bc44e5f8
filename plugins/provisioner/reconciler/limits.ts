import type { InstanceSpec } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import { openOperation, openOperationOf } from '../records/operation.ts'

/**
 * What an instance may take of the host from now on; null for what every instance may. One that runs is restarted with
 * it; where other work is under way, it counts with the next restart. False when it was so already.
 */
export function limitInstance({ db, clock }: Fleet, id: string, limits: InstanceSpec['limits']): boolean {
  return db.transaction(() => {
    const instance = getInstance(db, id)
    const change = { memoryBytes: limits?.memoryBytes ?? null, cpus: limits?.cpus ?? null }
    if (instance.memoryBytes === change.memoryBytes && instance.cpus === change.cpus) return false
    updateInstance(db, id, { ...change, settings: null })
    if (wanted(instance) === 'running' && !openOperationOf(db, id)) {
      openOperation(db, { instanceId: id, kind: 'restart', image: null }, clock.now())
    }
    return true
  })
}
