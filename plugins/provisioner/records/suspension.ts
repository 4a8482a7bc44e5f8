import { eq } from 'drizzle-orm'
import { suspensions } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { getInstance, type ProvisionerDb, updateInstance, wanted } from './instance.ts'
import { openOperation, owedCopyOf } from './operation.ts'
import { planOf } from './plan.ts'

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
    const operationId = desired === 'running' && !suspension ? open(fleet, instanceId, 'stop') : null
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'suspend', operationId, result, detail: reason })
    return !suspension
  })
}

/** Lifts a suspension. Returns false when there was none. */
export function resumeInstance(fleet: Fleet, instanceId: string): boolean {
  const { db } = fleet
  return db.transaction(() => {
    if (!endSuspension(db, instanceId)) return false
    const { subdomain, desired } = getInstance(db, instanceId)
    const operationId = desired === 'running' ? open(fleet, instanceId, 'start') : null
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'resume', operationId, result })
    return true
  })
}

/** Opens what stops or starts it, and never in the place of a transfer that has still to make its copy. */
function open(fleet: Fleet, instanceId: string, asked: 'start' | 'stop'): string {
  const instance = getInstance(fleet.db, instanceId)
  const kind = owedCopyOf(fleet, instance) ? 'transfer' : asked
  const plan = planOf(kind, wanted(instance))
  return openOperation(fleet, { instanceId, kind, image: null }, fleet.clock.now(), plan)
}

/** Deletes the suspension and starts nothing. Returns false when there was none. */
export function endSuspension(db: ProvisionerDb, instanceId: string): boolean {
  return db.delete(suspensions).where(eq(suspensions.instanceId, instanceId)).run().changes > 0
}
