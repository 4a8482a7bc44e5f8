import { and, count, desc, eq, inArray, sql } from 'drizzle-orm'
import { newId } from '../../src/ids.ts'
import type { Run, RunStatus, RunTrigger } from '../contract.ts'
import { runs, slots } from '../schema.ts'
import type { JobsDb } from './live-set.ts'

export type RunRow = typeof runs.$inferSelect

/** Runs that have not ended. */
export const activeStatuses: RunStatus[] = ['queued', 'running']

export function insertRun(
  db: Pick<JobsDb, 'insert'>,
  run: {
    jobId: string
    trigger: RunTrigger
    slot: number | null
    params: Record<string, unknown>
    build: string
    commit: string | null
    timeoutMs: number
  },
  now: number,
): RunRow {
  const row = { ...run, id: newId('run', now), status: 'queued' as const, attempt: 1, queuedAt: now }
  return db.insert(runs).values(row).returning().get()
}

export function markStarted(db: JobsDb, id: string, now: number): boolean {
  const change = { status: 'running' as const, startedAt: now }
  return (
    db
      .update(runs)
      .set(change)
      .where(and(eq(runs.id, id), eq(runs.status, 'queued')))
      .run().changes > 0
  )
}

export interface RunEnding {
  status: Exclude<RunStatus, 'queued' | 'running'>
  result: unknown
  error: { message: string; stack: string | null } | null
  durationMs: number | null
}

/** Ends a run that has not ended yet. A slot whose run was interrupted says so too. */
export function markEnded(db: JobsDb, id: string, ending: RunEnding, now: number): void {
  const { status, result, error, durationMs } = ending
  db.transaction(tx => {
    const ended = tx
      .update(runs)
      .set({
        status,
        finishedAt: now,
        durationMs,
        result: result ?? null,
        errorMessage: error?.message ?? null,
        errorStack: error?.stack ?? null,
      })
      .where(and(eq(runs.id, id), inArray(runs.status, activeStatuses)))
      .returning({ jobId: runs.jobId, slot: runs.slot })
      .get()
    if (ended?.slot == null || status !== 'interrupted') return
    tx.update(slots)
      .set({ outcome: 'interrupted', reason: error?.message ?? null })
      .where(and(eq(slots.jobId, ended.jobId), eq(slots.at, ended.slot)))
      .run()
  })
}

export function findRun(db: JobsDb, id: string): RunRow | null {
  return db.select().from(runs).where(eq(runs.id, id)).get() ?? null
}

export function activeRuns(db: JobsDb): RunRow[] {
  return db.select().from(runs).where(inArray(runs.status, activeStatuses)).orderBy(runs.seq).all()
}

/** Newest first. */
export function listRuns(
  db: JobsDb,
  filter: { jobId?: string; status?: RunStatus; limit: number; offset: number },
): { runs: Run[]; total: number } {
  const matches = and(
    filter.jobId === undefined ? undefined : eq(runs.jobId, filter.jobId),
    filter.status === undefined ? undefined : eq(runs.status, filter.status),
  )
  const rows = db
    .select()
    .from(runs)
    .where(matches)
    .orderBy(desc(runs.seq))
    .limit(filter.limit)
    .offset(filter.offset)
    .all()
  return {
    runs: rows.map(asRun),
    total: db.select({ total: count() }).from(runs).where(matches).get()?.total ?? 0,
  }
}

/** The newest run of every job. */
export function lastRuns(db: JobsDb): Map<string, Run> {
  const newest = db
    .select({ seq: sql<number>`max(${runs.seq})` })
    .from(runs)
    .groupBy(runs.jobId)
  const rows = db.select().from(runs).where(inArray(runs.seq, newest)).all()
  return new Map(rows.map(row => [row.jobId, asRun(row)]))
}

export function asRun(row: RunRow): Run {
  return {
    id: row.id,
    jobId: row.jobId,
    status: row.status,
    trigger: row.trigger,
    slot: row.slot,
    attempt: row.attempt,
    commit: row.commit,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    durationMs: row.durationMs,
    result: row.result ?? null,
    error: row.errorMessage === null ? null : { message: row.errorMessage, stack: row.errorStack },
  }
}
