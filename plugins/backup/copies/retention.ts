import { and, asc, eq, inArray, lt, ne } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { type CopyRow, copies } from '../schema.ts'
import type { Store } from '../store/store.ts'
import { type BackupDb, findCopy } from './copies.ts'

export interface KeepRules {
  forMs: number
  last: number
  /** How long copies of a purged instance are kept, from its last copy. */
  purgedMs: number
}

/** Records of copies that failed or are gone are kept this long, as history. */
const historyMs = 90 * 86_400_000

/**
 * Chooses which copies of one instance to delete: those that are older than `forMs` and not among the newest `last`. It
 * never chooses the newest one that was proven to work. An upload does not count as that one, because its data may be of
 * any age. Of a purged instance, it chooses all once `purgedMs` have passed. `kept` is newest first.
 */
function outdatedCopies(
  kept: readonly Pick<CopyRow, 'id' | 'createdAt' | 'provenAt' | 'reason'>[],
  { forMs, last, purgedMs }: KeepRules,
  { now, purged }: { now: number; purged: boolean },
): string[] {
  if (purged) return kept[0] && now - kept[0].createdAt >= purgedMs ? kept.map(({ id }) => id) : []
  const proven = kept.find(({ provenAt, reason }) => provenAt !== null && reason !== 'upload')
  return kept
    .filter((copy, index) => index >= last && copy !== proven && now - copy.createdAt > forMs)
    .map(({ id }) => id)
}

/**
 * Deletes the copies of every instance whose time is over. First they are recorded as forgotten, so that none is restored that
 * is being deleted. What a crash left in the store is deleted in the next round. Returns how many were deleted.
 */
export async function forgetOutdated(options: {
  db: BackupDb
  store: Store
  rules: KeepRules
  clock: Clock
  log: Logger
  /** Whether an instance's volume may still exist. */
  exists(instanceId: string): boolean
}): Promise<number> {
  const { db, store, rules, clock, log, exists } = options
  const now = clock.now()
  const all = db
    .select()
    .from(copies)
    .where(eq(copies.status, 'kept'))
    .orderBy(asc(copies.createdAt), asc(copies.id))
    .all()
  for (const [instanceId, own] of Map.groupBy(all, row => row.instanceId)) {
    const outdated = outdatedCopies(own.toReversed(), rules, { now, purged: !exists(instanceId) })
    if (outdated.length > 0)
      db.update(copies)
        .set({ status: 'forgotten', finishedAt: now })
        .where(inArray(copies.id, outdated))
        .run()
  }
  let deleted = 0
  const left = db.select().from(copies).where(eq(copies.status, 'forgotten')).all()
  for (const [instanceId, own] of Map.groupBy(left, row => row.instanceId)) {
    const snapshots = own.flatMap(({ snapshot }) => snapshot ?? [])
    if (snapshots.length === 0) continue
    await store.forget(instanceId, snapshots)
    deleted += snapshots.length
    log.info({ instanceId, copies: own.map(({ id }) => id) }, 'outdated copies were deleted')
    const ids = own.map(({ id }) => id)
    db.update(copies).set({ snapshot: null }).where(inArray(copies.id, ids)).run()
  }
  db.delete(copies)
    .where(
      and(ne(copies.status, 'kept'), ne(copies.status, 'waiting'), lt(copies.createdAt, now - historyMs)),
    )
    .run()
  return deleted
}

/** How long an upload may be proven after the store has it: until then its record does not name its copy. */
const uploadMs = 86_400_000

/**
 * Deletes what the store has twice of a copy: a program that was killed before it recorded the copy makes it again. A copy that no
 * record here is about is left alone: the store may be older than the records. Returns how many were deleted.
 */
export async function forgetDoubles({
  db,
  store,
  clock,
}: {
  db: BackupDb
  store: Store
  clock: Clock
}): Promise<number> {
  const doubles = (await store.list()).flatMap(({ snapshot, tags, createdAt }) => {
    const row = tags && findCopy(db, tags.copy)
    if (!row || row.status === 'waiting' || row.snapshot === snapshot) return []
    if (row.reason === 'upload' && clock.now() - createdAt < uploadMs) return []
    return [{ snapshot, instanceId: tags.instance }]
  })
  for (const [instanceId, own] of Map.groupBy(doubles, each => each.instanceId))
    await store.forget(
      instanceId,
      own.map(({ snapshot }) => snapshot),
    )
  return doubles.length
}
