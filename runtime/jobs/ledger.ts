import { and, count, desc, eq, gte, lt, max, sql } from 'drizzle-orm'
import type { LedgerFilter, Slot, SlotOutcome } from '../contract.ts'
import { slots } from '../schema.ts'
import type { JobsDb } from './live-set.ts'
import { perDatabase } from './statement.ts'

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

/** The newest slot of the job that was decided. */
export function lastDecided(db: JobsDb, jobId: string): number | null {
  return (
    db
      .select({ at: max(slots.at) })
      .from(slots)
      .where(eq(slots.jobId, jobId))
      .get()?.at ?? null
  )
}

/** Newest first. */
export function listSlots(db: JobsDb, jobId: string, limit: number): { slots: Slot[]; total: number } {
  const ofJob = eq(slots.jobId, jobId)
  return {
    slots: db
      .select({ at: slots.at, outcome: slots.outcome, reason: slots.reason, runId: slots.runId })
      .from(slots)
      .where(ofJob)
      .orderBy(desc(slots.at))
      .limit(limit)
      .all(),
    total: db.select({ total: count() }).from(slots).where(ofJob).get()?.total ?? 0,
  }
}

/** Newest first, of all jobs. */
export function findSlots(db: JobsDb, filter: LedgerFilter): (Slot & { jobId: string })[] {
  const { outcome, from, to, decidedFrom, decidedBefore, limit } = filter
  return db
    .select({
      jobId: slots.jobId,
      at: slots.at,
      outcome: slots.outcome,
      reason: slots.reason,
      runId: slots.runId,
    })
    .from(slots)
    .where(
      and(
        outcome === undefined ? undefined : eq(slots.outcome, outcome),
        from === undefined ? undefined : gte(slots.at, from),
        to === undefined ? undefined : lt(slots.at, to),
        decidedFrom === undefined ? undefined : gte(slots.decidedAt, decidedFrom),
        decidedBefore === undefined ? undefined : lt(slots.decidedAt, decidedBefore),
      ),
    )
    .orderBy(desc(slots.at))
    .limit(limit)
    .all()
}
