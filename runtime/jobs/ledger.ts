import { and, count, desc, eq, gte, lt, max, sql } from 'drizzle-orm'
import type { LedgerFilter, Slot, SlotOutcome } from '../contract.ts'
import { slots } from '../schema.ts'
import type { JobsDb } from './live-set.ts'

/**
 * Writes what became of a slot. False when that was decided before: a slot starts at most one run. One that was
 * missed started none, and may come again when the clock was wrong.
 */
export function recordSlot(
  db: Pick<JobsDb, 'insert'>,
  slot: { jobId: string; at: number; outcome: SlotOutcome; reason: string | null },
  now: number,
): boolean {
  const row = { ...slot, decidedAt: now }
  const target = [slots.jobId, slots.at]
  const setWhere = sql`${slots.outcome} = 'missed' and excluded.outcome <> 'missed'`
  return db.insert(slots).values(row).onConflictDoUpdate({ target, set: row, setWhere }).run().changes > 0
}

export function attachRun(db: Pick<JobsDb, 'update'>, jobId: string, at: number, runId: string): void {
  db.update(slots)
    .set({ runId })
    .where(and(eq(slots.jobId, jobId), eq(slots.at, at)))
    .run()
}

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
