import { and, eq, inArray, sql } from 'drizzle-orm'
import { type Operation, operations, type Rollback, rollbacks } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { getInstance, type ProvisionerDb, updateInstance } from './instance.ts'

interface Image {
  image: string
  imageId: string | null
}

/** What an instance can go back to; null when it cannot. */
export function findRollback(db: ProvisionerDb, instanceId: string): Rollback | null {
  return db.select().from(rollbacks).where(eq(rollbacks.instanceId, instanceId)).get() ?? null
}

/** The same for many instances, by their ids; in one query. */
export function findRollbacks(
  db: ProvisionerDb,
  instanceIds: readonly string[],
): ReadonlyMap<string, Rollback> {
  const ids = sql`(select value from json_each(${JSON.stringify(instanceIds)}))`
  const rows = db.select().from(rollbacks).where(inArray(rollbacks.instanceId, ids)).all()
  return new Map(rows.map(row => [row.instanceId, row]))
}

export function removeRollback(db: ProvisionerDb, instanceId: string): void {
  db.delete(rollbacks).where(eq(rollbacks.instanceId, instanceId)).run()
}

/**
 * Records that an instance has an image from now on. An operation that brought it remembers the one it replaced, and an upgrade
 * makes that what the instance can go back to. `replacedId` is the id of the replaced one where the record has none.
 */
export function pinImage(
  { db, clock }: Fleet,
  { id, instanceId, kind }: Operation,
  next: Image,
  replacedId: string | null,
): void {
  db.transaction(() => {
    const { image, imageId } = getInstance(db, instanceId)
    const before = db.select().from(operations).where(eq(operations.id, id)).get()
    // Resumed after it was pinned, the record has the new one already.
    if ((kind === 'upgrade' || kind === 'rollback') && before?.previousImage == null) {
      const previous = { image, imageId: imageId ?? replacedId }
      db.update(operations)
        .set({ previousImage: previous.image, previousImageId: previous.imageId })
        .where(eq(operations.id, id))
        .run()
      if (kind === 'upgrade') {
        const row = { ...previous, operationId: id, at: clock.now() }
        db.insert(rollbacks)
          .values({ ...row, instanceId })
          .onConflictDoUpdate({ target: rollbacks.instanceId, set: row })
          .run()
      }
    }
    updateInstance(db, instanceId, next)
  })
}

/** Undoes `pinImage`. Returns the image that the instance has. */
export function unpinImage({ db }: Fleet, { id, instanceId }: Operation): Image {
  return db.transaction(() => {
    const { previousImage, previousImageId } =
      db.select().from(operations).where(eq(operations.id, id)).get() ?? {}
    if (previousImage == null) {
      const { image, imageId } = getInstance(db, instanceId)
      return { image, imageId }
    }
    const previous = { image: previousImage, imageId: previousImageId ?? null }
    updateInstance(db, instanceId, previous)
    db.delete(rollbacks)
      .where(and(eq(rollbacks.instanceId, instanceId), eq(rollbacks.operationId, id)))
      .run()
    return previous
  })
}
