import { eq } from 'drizzle-orm'
import { suspensions } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { getInstance, type ProvisionerDb, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'

/** Stops an instance until it is resumed. Its owner is shown `reason`. Returns false when it was suspended already. */
export function suspendInstance({ db, clock }: Fleet, instanceId: string, reason: string): boolean {
  return db.transaction(() => {
    const { desired, suspension } = getInstance(db, instanceId)
    if (suspension?.reason === reason) return false
    updateInstance(db, instanceId, { volumePermit: null })
    db.insert(suspensions)
      .values({ instanceId, since: clock.now(), reason })
      .onConflictDoUpdate({ target: suspensions.instanceId, set: { reason } })
      .run()
    if (suspension) return false
    if (desired === 'running') openOperation(db, { instanceId, kind: 'stop', image: null }, clock.now())
    return true
  })
}

/** Lifts a suspension. Returns false when there was none. */
export function resumeInstance({ db, clock }: Fleet, instanceId: string): boolean {
  return db.transaction(() => {
    if (!endSuspension(db, instanceId)) return false
    if (getInstance(db, instanceId).desired === 'running')
      openOperation(db, { instanceId, kind: 'start', image: null }, clock.now())
    return true
  })
}

/** Deletes the suspension and starts nothing. Returns false when there was none. */
export function endSuspension(db: ProvisionerDb, instanceId: string): boolean {
  return db.delete(suspensions).where(eq(suspensions.instanceId, instanceId)).run().changes > 0
}
