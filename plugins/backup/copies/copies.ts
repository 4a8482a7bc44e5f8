import { and, asc, count, desc, eq, gt, inArray, isNotNull, ne, sql } from 'drizzle-orm'
import { newId } from '../../../src/ids.ts'
import type { Db } from '../../../src/storage/database.ts'
import type { CopyReason } from '../../provisioner/contract.ts'
import type { KeptCopy } from '../contract.ts'
import { unknownBackup } from '../problems.ts'
import type * as schema from '../schema.ts'
import { type CopyRow, controlCopies, copies } from '../schema.ts'

export type BackupDb = Db<typeof schema>

/** The instance that a copy is of. */
export interface CopiedInstance {
  id: string
  subdomain: string
  image: string
}

/**
 * Asks for a copy. One that waits already serves, unless it is for an operation, or `hasBegun` says that it is being made: what
 * was written since it began is not in it. Of copies that an operation needs, `operationId` makes one only.
 */
export function requestCopy(
  db: BackupDb,
  instance: CopiedInstance,
  reason: CopyReason,
  now: number,
  operationId: string | null = null,
  hasBegun: (copyId: string) => boolean = () => false,
): CopyRow {
  const { id: instanceId, subdomain, image } = instance
  return db.transaction(tx => {
    const same =
      operationId === null
        ? and(eq(copies.instanceId, instanceId), eq(copies.status, 'waiting'))
        : eq(copies.operationId, operationId)
    const waiting = tx
      .select()
      .from(copies)
      .where(same)
      .all()
      .find(({ id }) => !hasBegun(id))
    if (waiting) return waiting
    return tx
      .insert(copies)
      .values({
        ...{ id: newId('copy', now), instanceId, subdomain, image, reason, operationId, createdAt: now },
        status: 'waiting',
      })
      .returning()
      .get()
  })
}

export function updateCopy(db: BackupDb, id: string, change: Partial<CopyRow>): CopyRow {
  return db.update(copies).set(change).where(eq(copies.id, id)).returning().get() as CopyRow
}

export function findCopy(db: BackupDb, id: string): CopyRow | null {
  return db.select().from(copies).where(eq(copies.id, id)).get() ?? null
}

/** Throws `unknown-backup` unless there is such a copy of this instance, and it is kept. */
export function requireCopy(db: BackupDb, instanceId: string, id: string): CopyRow & { snapshot: string } {
  const row = findCopy(db, id)
  if (row?.instanceId === instanceId && row.status === 'kept' && row.snapshot !== null)
    return { ...row, snapshot: row.snapshot }
  throw unknownBackup(`This instance has no backup "${id}". GET …/backups lists those that it has.`)
}

/** Copies that are still to be made, oldest first. */
export function waitingCopies(db: BackupDb): CopyRow[] {
  return db
    .select()
    .from(copies)
    .where(eq(copies.status, 'waiting'))
    .orderBy(asc(copies.createdAt), asc(copies.id))
    .all()
}

/** Newest first. */
export function keptCopies(db: BackupDb, instanceId: string): CopyRow[] {
  return db
    .select()
    .from(copies)
    .where(and(eq(copies.instanceId, instanceId), eq(copies.status, 'kept')))
    .orderBy(desc(copies.createdAt), desc(copies.id))
    .all()
}

/**
 * The copies that an instance may be restored from without anyone's choice, best first: the newest first, and those that were
 * found not to work after all others. An upload is never among them: it holds data of another time.
 */
export function restorableCopies(db: BackupDb, instanceId: string): CopyRow[] {
  const own = keptCopies(db, instanceId).filter(({ reason }) => reason !== 'upload')
  return [...own.filter(({ fault }) => fault === null), ...own.filter(({ fault }) => fault !== null)]
}

/** What a list of kept copies is about. `live` are the ids of the instances that are not purged. */
export interface KeptFilter {
  subdomain?: string | undefined
  /** Only those of purged instances. */
  isPurged: boolean
  live: readonly string[]
}

/** Kept copies of all instances, newest first: at most `limit`, those after the copy `after` where that is given. */
export function listKept(
  db: BackupDb,
  { subdomain, isPurged, live }: KeptFilter,
  { after, limit }: { after: CopyRow | null; limit: number },
): CopyRow[] {
  const older = after && sql`(${copies.createdAt}, ${copies.id}) < (${after.createdAt}, ${after.id})`
  return db
    .select()
    .from(copies)
    .where(
      and(
        eq(copies.status, 'kept'),
        subdomain === undefined ? undefined : eq(copies.subdomain, subdomain),
        isPurged
          ? sql`${copies.instanceId} not in (select value from json_each(${JSON.stringify(live)}))`
          : undefined,
        older ?? undefined,
      ),
    )
    .orderBy(desc(copies.createdAt), desc(copies.id))
    .limit(limit)
    .all()
}

/** Copies of an instance that are in the store, are waiting, or failed; newest first. */
export function recentCopies(db: BackupDb, instanceId: string, limit: number): CopyRow[] {
  return db
    .select()
    .from(copies)
    .where(and(eq(copies.instanceId, instanceId), inArray(copies.status, ['waiting', 'kept', 'failed'])))
    .orderBy(desc(copies.createdAt), desc(copies.id))
    .limit(limit)
    .all()
}

/** When a copy of an instance, and not an upload, was last proven to work, and when that copy was made. */
export function lastProvenOf(db: BackupDb, instanceId: string): { at: number; createdAt: number } | null {
  const row = db
    .select()
    .from(copies)
    .where(and(eq(copies.instanceId, instanceId), ne(copies.reason, 'upload'), isNotNull(copies.provenAt)))
    .orderBy(desc(copies.provenAt))
    .limit(1)
    .get()
  return row?.provenAt ? { at: row.provenAt, createdAt: row.createdAt } : null
}

export interface Newest {
  instanceId: string
  /** When the newest copy that is kept was made, the newest that is proven, and when one was last tried. */
  keptAt: number | null
  provenCopyAt: number | null
  triedAt: number | null
  /** When one of those that are kept was last proven. */
  provenAt: number | null
  /** How the newest finished try ended. */
  error: string | null
  /** Why the newest copy that is kept does not work; null when it does, or was not tried yet. */
  fault: string | null
}

/**
 * What the copies of each instance amount to, in one statement for all. Uploaded archives do not count: they hold data of another
 * time, and one that does not work says nothing about the copies.
 */
export function newestOfAll(db: BackupDb): Map<string, Newest> {
  const rows = db
    .select({
      instanceId: copies.instanceId,
      keptAt: sql<number | null>`max(case when ${copies.status} = 'kept' then ${copies.createdAt} end)`,
      provenCopyAt: sql<
        number | null
      >`max(case when ${copies.status} = 'kept' and ${copies.provenAt} is not null then ${copies.createdAt} end)`,
      triedAt: sql<number | null>`max(${copies.createdAt})`,
      provenAt: sql<number | null>`max(case when ${copies.status} = 'kept' then ${copies.provenAt} end)`,
      error: ofNewest('error', ['kept', 'failed']),
      fault: ofNewest('fault', ['kept']),
    })
    .from(copies)
    .where(ne(copies.reason, 'upload'))
    .groupBy(copies.instanceId)
    .all()
  return new Map(rows.map(row => [row.instanceId, row]))
}

/** What the newest copy of each instance that has one of these states, and is no upload, says in a column. */
function ofNewest(column: 'error' | 'fault', statuses: readonly CopyRow['status'][]) {
  const among = sql.raw(statuses.map(status => `'${status}'`).join(', '))
  return sql<
    string | null
  >`(select ${sql.raw(column)} from ${copies} as last where last.instance_id = ${sql.raw('backup_copies.instance_id')} and last.reason <> 'upload' and last.status in (${among}) order by last.created_at desc, last.id desc limit 1)`
}

/** Every instance that copies are kept of, under the name that it had last. */
export function copiedInstances(db: BackupDb) {
  return db
    .select({
      instanceId: copies.instanceId,
      // SQLite takes it from the row with the maximum.
      subdomain: copies.subdomain,
      copies: sql<number>`count(*)`,
      bytes: sql<number>`coalesce(sum(${copies.storedBytes}), 0)`,
      newestAt: sql<number>`max(${copies.createdAt})`,
    })
    .from(copies)
    .where(eq(copies.status, 'kept'))
    .groupBy(copies.instanceId)
    .all()
}

/** Whether the store has anything to keep in order: copies, also those that are to be deleted, or the records. */
export function anyStored(db: BackupDb): boolean {
  const some = db.select({ id: copies.id }).from(copies).where(isNotNull(copies.snapshot)).limit(1).get()
  return (some ?? db.select({ id: controlCopies.id }).from(controlCopies).limit(1).get()) !== undefined
}

/** Whether any copy is in the store as far as the records know. */
export function anyKept(db: BackupDb): boolean {
  return (
    db
      .select({ id: copies.id })
      .from(copies)
      .where(and(eq(copies.status, 'kept'), isNotNull(copies.snapshot)))
      .limit(1)
      .get() !== undefined
  )
}

export function keptCopyOf(row: CopyRow): KeptCopy {
  const { id, instanceId, subdomain, reason, createdAt, provenAt, image } = row
  return { id, instanceId, subdomain, reason, createdAt, provenAt, image, bytes: row.bytes ?? 0 }
}

/** How many archives were uploaded for an instance since then, whatever came of them. */
export function uploadsSince(db: BackupDb, instanceId: string, since: number): number {
  const own = and(eq(copies.instanceId, instanceId), eq(copies.reason, 'upload'), gt(copies.createdAt, since))
  return db.select({ count: count() }).from(copies).where(own).get()?.count ?? 0
}
