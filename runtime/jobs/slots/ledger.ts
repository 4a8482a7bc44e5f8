import { and, count, desc, eq, gte, lt, sql } from 'drizzle-orm'
import type { LedgerFilter, RunStatus, Slot, SlotOutcome } from '../contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import { perDatabase } from '../jobs-db.ts'
import { runs, slots } from '../schema.ts'

/**
 * Writes what became of a slot. False when that was decided before: a slot starts at most one run. One that was
 * missed started none, and may come again when the clock was wrong.
 */
export function recordSlot(
  db: Pick<JobsDb, 'insert'>,
  slot: { jobId: string; at: number; outcome: SlotOutcome; reason: string | null; runId: string | null },
  now: number,
): boolean {
  return insertion(db).run({ ...slot, decidedAt: now }).changes > 0
}

/** A thousand slots may be due in one second: the statement is made once a transaction. */
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
  /** The newest slot up to now that was decided. */
  before?: number
  /** The newest of all, when that lies ahead: the clock was once further than now. */
  after?: number
}

/** Of each of these jobs that has any, the newest slots that were decided: ten thousand are asked for at a start. */
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

/** A slot that ran says nothing yet: what its run came to does, and of several attempts the last. */
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

/** Newest first; `total` counts all that the filter lets through. */
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

/** Of each of these jobs the newest slots, newest first, as pictures need them: in one statement. */
export function recentSlots(
  db: JobsDb,
  jobIds: readonly string[],
  { from, to, most }: { from: number; to: number; most: number },
): Map<string, Slot[]> {
  // The oldest that counts is found by the key, and is the bound of a range of it.
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
