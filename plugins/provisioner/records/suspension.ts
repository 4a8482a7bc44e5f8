import { eq } from 'drizzle-orm'
import { suspensions } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { getInstance, type ProvisionerDb, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'

/** Stops an instance until it is resumed. Its owner is shown `reason`. Returns false when it was suspended already. */
export function suspendInstance(fleet: Fleet, instanceId: string, reason: string): boolean {
  const { db, clock } = fleet
  return db.transaction(() => {
    const { subdomain, desired, suspension } = getInstance(db, instanceId)
    if (suspension?.reason === reason) return false
    updateInstance(db, instanceId, { volumePermit: null })
    db.insert(suspensions)
      .values({ instanceId, since: clock.now(), reason })
      .onConflictDoUpdate({ target: suspensions.instanceId, set: { reason } })
      .run()
    const operationId =
      desired === 'running' && !suspension
        ? openOperation(fleet, { instanceId, kind: 'stop', image: null }, clock.now())
        : null
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'suspend', operationId, result, detail: reason })
    return !suspension
  })
}

/** Lifts a suspension. Returns false when there was none. */
export function resumeInstance(fleet: Fleet, instanceId: string): boolean {
  const { db, clock } = fleet
  return db.transaction(() => {
    if (!endSuspension(db, instanceId)) return false
    const { subdomain, desired } = getInstance(db, instanceId)
    const operationId =
      desired === 'running'
        ? openOperation(fleet, { instanceId, kind: 'start', image: null }, clock.now())
        : null
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'resume', operationId, result })
    return true
  })
}

/** Deletes the suspension and starts nothing. Returns false when there was none. */
export function endSuspension(db: ProvisionerDb, instanceId: string): boolean {
  return db.delete(suspensions).where(eq(suspensions.instanceId, instanceId)).run().changes > 0
}
