import { and, count, desc, eq, gte, lt, sql } from 'drizzle-orm'
import type { LedgerFilter, RunStatus, Slot, SlotOutcome } from '../contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import { perDatabase } from '../jobs-db.ts'
import { runs, slots } from '../schema.ts'

/**
 * Records what became of a slot. Returns false when that was decided before: a slot starts at most one run. A slot
 * that was missed started none, so it may be decided again when the clock was wrong.
 */
export function recordSlot(
  db: Pick<JobsDb, 'insert'>,
  slot: { jobId: string; at: number; outcome: SlotOutcome; reason: string | null; runId: string | null },
  now: number,
): boolean {
  return insertion(db).run({ ...slot, decidedAt: now }).changes > 0
}

/** The statement is prepared once per transaction: a thousand slots may be due in one second. */
const insertion = perDatabase(db =>
  db
    .insert(slots)
    .values({
      jobId: sql.placeholder('jobId'),
      at: sql.placeholder('at'),
      outcome: sql.placeholder('outcome'),
      reason: sql.placeholder('reason'),
      runId: sql.placeholder('runId'),
      decidedAt: sql.placeholder('decidedAt'),
    })
    .onConflictDoUpdate({
      target: [slots.jobId, slots.at],
      set: {
        outcome: sql`excluded.outcome`,
        reason: sql`excluded.reason`,
        runId: sql`excluded.runId`,
        decidedAt: sql`excluded.decidedAt`,
      },
      setWhere: sql`${slots.outcome} = 'missed' and excluded.outcome <> 'missed'`,
    })
    .prepare(),
)

export interface Decided {
  /** The newest decided slot up to now. */
  before?: number
  /** The newest decided slot, if it lies ahead: the clock was once ahead of now. */
  after?: number
}

/** Returns the newest decided slots of each job that has any. A start asks for ten thousand jobs at once. */
export function lastDecided(db: JobsDb, jobIds: readonly string[], now: number): Map<string, Decided> {
  const rows = db.all<{ jobId: string; before: number | null; newest: number | null }>(sql`
    select job.value as jobId,
      (select max(at) from ${slots} where jobId = job.value and at <= ${now}) as before,
      (select max(at) from ${slots} where jobId = job.value) as newest
    from json_each(${JSON.stringify(jobIds)}) as job`)
  return new Map(
    rows.flatMap(({ jobId, before, newest }) => {
      const decided: Decided = {
        ...(before === null ? {} : { before }),
        ...(newest === null || newest <= now ? {} : { after: newest }),
      }
      return newest === null ? [] : [[jobId, decided] as const]
    }),
  )
}

/** `runStatus` is that of the slot's run, or of the last attempt after it. */
const columns = {
  jobId: slots.jobId,
  at: slots.at,
  outcome: slots.outcome,
  reason: slots.reason,
  runId: slots.runId,
  runStatus: sql<RunStatus | null>`coalesce(
    (select status from ${runs} where attemptOf = ${slots.runId} order by seq desc limit 1),
    (select status from ${runs} where id = ${slots.runId}))`,
}

/** Newest first. `total` counts all slots that match. */
export function listSlots(
  db: JobsDb,
  jobId: string,
  { limit, ...filter }: { from?: number; to?: number; limit: number },
): { slots: Slot[]; total: number } {
  const found = findSlots(db, { ...filter, jobId, limit })
  const total =
    db
      .select({ total: count() })
      .from(slots)
      .where(matching({ ...filter, jobId }))
      .get()?.total ?? 0
  return { slots: found.map(({ jobId: _, ...slot }) => slot), total }
}

/** Newest first. */
export function findSlots(
  db: JobsDb,
  { limit, ...filter }: LedgerFilter & { jobId?: string },
): (Slot & { jobId: string })[] {
  return db.select(columns).from(slots).where(matching(filter)).orderBy(desc(slots.at)).limit(limit).all()
}

/** Returns the newest slots of each job, newest first, in one statement. */
export function recentSlots(
  db: JobsDb,
  jobIds: readonly string[],
  { from, to, most }: { from: number; to: number; most: number },
): Map<string, Slot[]> {
  // The key finds the oldest slot that counts, which bounds a range of the key.
  const newest = sql`(select slot.rowid from json_each(${JSON.stringify(jobIds)}) as job
    join ${slots} as slot on slot.jobId = job.value and slot.at < ${to} and slot.at >= max(${from}, coalesce(
      (select at from ${slots} where jobId = job.value and at < ${to} order by at desc limit 1 offset ${most - 1}), 0)))`
  const rows = db.select(columns).from(slots).where(sql`rowid in ${newest}`).orderBy(desc(slots.at)).all()
  const found = new Map<string, Slot[]>(jobIds.map(id => [id, []]))
  for (const { jobId, ...slot } of rows) found.get(jobId)?.push(slot)
  return found
}

function matching(filter: Omit<LedgerFilter, 'limit'> & { jobId?: string }) {
  const { jobId, outcome, from, to, decidedFrom, decidedBefore } = filter
  return and(
    jobId === undefined ? undefined : eq(slots.jobId, jobId),
    outcome === undefined ? undefined : eq(slots.outcome, outcome),
    from === undefined ? undefined : gte(slots.at, from),
    to === undefined ? undefined : lt(slots.at, to),
    decidedFrom === undefined ? undefined : gte(slots.decidedAt, decidedFrom),
    decidedBefore === undefined ? undefined : lt(slots.decidedAt, decidedBefore),
  )
}
