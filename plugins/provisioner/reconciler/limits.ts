import type { InstanceSpec } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import { openOperation, openOperationOf } from '../records/operation.ts'

/**
 * Sets what an instance may use of the host; null for the default. A running instance is restarted with the new limits; while
 * an operation is open, they apply from the next restart on. Returns false when nothing changed.
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
