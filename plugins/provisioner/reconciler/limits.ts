import type { InstanceSpec } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import { openOperation, openOperationOf } from '../records/operation.ts'

/**
 * Sets what an instance may use of the host; null for the default. A running instance is restarted with the new limits; while
 * an operation is open, they apply from the next restart on. Returns false when nothing changed.
 */
export function limitInstance(fleet: Fleet, id: string, limits: InstanceSpec['limits']): boolean {
  const { db, clock } = fleet
  return db.transaction(() => {
    const instance = getInstance(db, id)
    const change = { memoryBytes: limits?.memoryBytes ?? null, cpus: limits?.cpus ?? null }
    if (instance.memoryBytes === change.memoryBytes && instance.cpus === change.cpus) return false
    updateInstance(db, id, { ...change, settings: null })
    const restarts = wanted(instance) === 'running' && !openOperationOf(db, id)
    const operation = { instanceId: id, kind: 'restart', image: null } as const
    const operationId = restarts ? openOperation(db, operation, clock.now()) : null
    fleet.changed({
      ...{ instanceId: id, subdomain: instance.subdomain, change: 'limit', operationId },
      result: restarts ? 'accepted' : 'done',
      detail: limits ? `memory ${limits.memoryBytes} bytes, ${limits.cpus} CPUs` : 'the default limits',
    })
    return true
  })
}
