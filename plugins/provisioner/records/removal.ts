import { and, eq, isNull } from 'drizzle-orm'
import type { Remover } from '../contract.ts'
import { type Instance, type Removal, removals, suspensions } from '../schema.ts'
import type { ProvisionerDb } from './instance.ts'

/**
 * Starts the removal of an instance, in the transaction that sets its desired state to `deleted`. A removal in
 * progress continues, but its deletions have to be permitted again.
 */
export function beginRemoval(db: ProvisionerDb, instance: Instance, by: Remover): void {
  const { id: instanceId, desired, removal, suspension } = instance
  if (removal) updateRemoval(db, instanceId, { volumePermit: null, withoutCopyAt: null })
  else if (desired !== 'deleted')
    db.insert(removals)
      .values({ instanceId, by, desiredBefore: desired, carriedMs: suspension?.keptMs ?? 0 })
      .run()
}

/** Records that the container is gone: the volume is kept from now on. */
export function beginRetention(db: ProvisionerDb, instanceId: string, now: number): void {
  db.update(removals)
    .set({ deletedAt: now, seenAt: now })
    .where(and(eq(removals.instanceId, instanceId), isNull(removals.deletedAt)))
    .run()
}

/**
 * Ends a removal. While the instance is suspended, the time that its volume was kept goes on to count: a removal that is
 * undone and repeated begins no new period.
 */
export function endRemoval(db: ProvisionerDb, { id, removal }: Instance): void {
  if (!removal) return
  db.delete(removals).where(eq(removals.instanceId, id)).run()
  db.update(suspensions)
    .set({ keptMs: removal.carriedMs + removal.servedMs })
    .where(eq(suspensions.instanceId, id))
    .run()
}

/** Restarts the whole retention period, for another owner. */
export function restartRetention(
  db: ProvisionerDb,
  { id, removal }: Instance,
  by: Remover,
  now: number,
): void {
  if (!removal) return
  const newPeriod =
    removal.deletedAt === null ? {} : { deletedAt: now, seenAt: now, servedMs: 0, objection: null }
  updateRemoval(db, id, { by, carriedMs: 0, ...newPeriod })
}

export function updateRemoval(db: ProvisionerDb, instanceId: string, change: Partial<Removal>): void {
  db.update(removals).set(change).where(eq(removals.instanceId, instanceId)).run()
}
