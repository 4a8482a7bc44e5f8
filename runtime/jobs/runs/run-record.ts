import { and, count, desc, eq, inArray, lt, or, sql } from 'drizzle-orm'
import { newId } from '../../../src/ids.ts'
import type { Run, RunBrief, RunFilter, RunList, RunStatus, RunTrigger } from '../contract.ts'
import { nextAttemptAt, type RunPolicy } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import { perDatabase } from '../jobs-db.ts'
import { runs, slots } from '../schema.ts'

export type RunRow = typeof runs.$inferSelect

/** Runs that have not ended. */
export const activeStatuses: RunStatus[] = ['queued', 'running']

export interface NewRun {
  /** Made when it is left out. */
  id?: string
  jobId: string
  trigger: RunTrigger
  slot: number | null
  params: Record<string, unknown>
  build: string
  commit: string | null
  timeoutMs: number
  policy?: RunPolicy | null
  attempt?: number
  notBefore?: number | null
  replayOf?: string | null
  attemptOf?: string | null
}

export function insertRun(db: Pick<JobsDb, 'insert'>, run: NewRun, now: number): RunRow {
  const {
    id = newId('run', now),
    policy = null,
    attempt = 1,
    notBefore = null,
    replayOf = null,
    attemptOf = null,
    ...given
  } = run
  // Not `get()`: it reads the row that the statement returns, and drops the error of a commit on a full disk.
  return insertion(db).all({
    ...given,
    id,
    policy,
    attempt,
    notBefore,
    replayOf,
    attemptOf,
    queuedAt: now,
  })[0] as RunRow
}

const insertion = perDatabase(db =>
  db
    .insert(runs)
    .values({
      id: sql.placeholder('id'),
      jobId: sql.placeholder('jobId'),
      status: 'queued',
      trigger: sql.placeholder('trigger'),
      slot: sql.placeholder('slot'),
      attempt: sql.placeholder('attempt'),
      commit: sql.placeholder('commit'),
      build: sql.placeholder('build'),
      params: sql.placeholder('params'),
      timeoutMs: sql.placeholder('timeoutMs'),
      notBefore: sql.placeholder('notBefore'),
      policy: sql.placeholder('policy'),
      replayOf: sql.placeholder('replayOf'),
      attemptOf: sql.placeholder('attemptOf'),
      queuedAt: sql.placeholder('queuedAt'),
    })
    .returning()
    .prepare(),
)

export function markStarted(db: JobsDb, id: string, now: number): boolean {
  return start(db).run({ id, now }).changes > 0
}

const start = perDatabase((db: Pick<JobsDb, 'update'>) =>
  db
    .update(runs)
    .set({ status: 'running', startedAt: sql`${sql.placeholder('now')}` })
    .where(and(eq(runs.id, sql.placeholder('id')), eq(runs.status, 'queued')))
    .prepare(),
)

export interface RunEnding {
  status: Exclude<RunStatus, 'queued' | 'running'>
  result: unknown
  error: { message: string; stack: string | null } | null
  durationMs: number | null
}

/**
 * Records the end of a run that has not ended yet. Returns its next attempt, if its policy has one. The slot of an
 * interrupted run is interrupted too, or late when another attempt takes its place.
 */
export function markEnded(db: JobsDb, id: string, ending: RunEnding, now: number): RunRow | null {
  const { status, result, error, durationMs } = ending
  return db.transaction(tx => {
    const ended = end(db).get({
      id,
      status,
      now,
      durationMs,
      result: result === null || result === undefined ? null : JSON.stringify(result),
      message: error?.message ?? null,
      stack: error?.stack ?? null,
    })
    if (!ended) return null
    const notBefore = nextAttemptAt(ended, status, now)
    const next = notBefore === null ? null : insertAttempt(tx, ended, notBefore, now)
    // A replay has the slot of the run that it repeats, but does not decide it.
    if (ended.slot !== null && ended.trigger === 'schedule' && status === 'interrupted') {
      tx.update(slots)
        .set(
          next
            ? {
                outcome: 'late',
                reason: `the run ${id} was interrupted; this one replaces it`,
                runId: next.id,
              }
            : { outcome: 'interrupted', reason: error?.message ?? null },
        )
        .where(and(eq(slots.jobId, ended.jobId), eq(slots.at, ended.slot)))
        .run()
    }
    return next
  })
}

const end = perDatabase((db: Pick<JobsDb, 'update'>) =>
  db
    .update(runs)
    .set({
      status: sql`${sql.placeholder('status')}`,
      finishedAt: sql`${sql.placeholder('now')}`,
      durationMs: sql`${sql.placeholder('durationMs')}`,
      result: sql`${sql.placeholder('result')}`,
      errorMessage: sql`${sql.placeholder('message')}`,
      errorStack: sql`${sql.placeholder('stack')}`,
    })
    .where(and(eq(runs.id, sql.placeholder('id')), inArray(runs.status, activeStatuses)))
    .returning()
    .prepare(),
)

/** Inserts another attempt, with the same slot, code and parameters. */
function insertAttempt(db: Pick<JobsDb, 'insert'>, of: RunRow, notBefore: number, now: number): RunRow {
  const { jobId, trigger, slot, params, build, commit, timeoutMs, policy, replayOf } = of
  const attemptOf = of.attemptOf ?? of.id
  const run = { attemptOf, jobId, trigger, slot, params, build, commit, timeoutMs, policy, replayOf }
  return insertRun(db, { ...run, attempt: of.attempt + 1, notBefore }, now)
}

/** True for an attempt that waits for its time. Such an attempt outlives the runtime. */
export function isPlanned(row: RunRow): boolean {
  return row.status === 'queued' && row.notBefore !== null
}

export function findRun(db: JobsDb, id: string): RunRow | null {
  return find(db).get({ id }) ?? null
}

const find = perDatabase((db: Pick<JobsDb, 'select'>) =>
  db
    .select()
    .from(runs)
    .where(eq(runs.id, sql.placeholder('id')))
    .prepare(),
)

export function activeRuns(db: JobsDb): RunRow[] {
  return db.select().from(runs).where(inArray(runs.status, activeStatuses)).orderBy(runs.seq).all()
}

/** Newest first. */
export function listRuns(db: JobsDb, filter: RunFilter): RunList {
  const { around } = filter
  const matches = and(
    around && relatedTo(around),
    filter.jobId === undefined ? undefined : eq(runs.jobId, filter.jobId),
    filter.status === undefined ? undefined : eq(runs.status, filter.status),
  )
  const rows = db
    .select()
    .from(runs)
    .where(and(matches, filter.after === undefined ? undefined : lt(runs.seq, filter.after)))
    .orderBy(desc(runs.seq))
    // One more row says whether there are more.
    .limit(filter.limit + 1)
    .offset(filter.offset)
    .all()
  const shown = rows.slice(0, filter.limit)
  return {
    runs: shown.map(asRun),
    next: rows.length > shown.length ? (shown.at(-1)?.seq ?? null) : null,
    total: db.select({ total: count() }).from(runs).where(matches).get()?.total ?? 0,
  }
}

/** Matches the other attempts, the run that this one replays, and the replays of this one. */
function relatedTo({ id, jobId, attemptOf, replayOf }: Run) {
  const first = attemptOf ?? id
  const ids = replayOf === null ? [first] : [first, replayOf]
  return and(
    eq(runs.jobId, jobId),
    or(inArray(runs.id, ids), eq(runs.attemptOf, first), eq(runs.replayOf, id)),
  )
}

/** Returns the newest run of each job. Reads only those rows, however long the history is. */
export function lastRuns(db: JobsDb, jobIds: readonly string[]): Map<string, Run> {
  const newest = sql`(select (select max(seq) from ${runs} where jobId = job.value)
    from json_each(${JSON.stringify(jobIds)}) as job)`
  const rows = db.select().from(runs).where(sql`${runs.seq} in ${newest}`).all()
  return new Map(rows.map(row => [row.jobId, asRun(row)]))
}

/** Returns the newest `most` runs of each job, newest first, in one statement. */
export function recentRuns(db: JobsDb, jobIds: readonly string[], most: number): Map<string, RunBrief[]> {
  // The index finds the oldest run that counts, which bounds a range of rows.
  const newest = sql`(select run.seq from json_each(${JSON.stringify(jobIds)}) as job
    join ${runs} as run on run.jobId = job.value and run.seq >= coalesce(
      (select seq from ${runs} where jobId = job.value order by seq desc limit 1 offset ${most - 1}), 0))`
  const rows = db
    .select({ jobId: runs.jobId, id: runs.id, status: runs.status, durationMs: runs.durationMs })
    .from(runs)
    .where(sql`${runs.seq} in ${newest}`)
    .orderBy(desc(runs.seq))
    .all()
  const found = new Map<string, RunBrief[]>(jobIds.map(id => [id, []]))
  for (const { jobId, ...brief } of rows) found.get(jobId)?.push(brief)
  return found
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
    params: row.params,
    replayOf: row.replayOf,
    attemptOf: row.attemptOf,
    notBefore: row.notBefore,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    durationMs: row.durationMs,
    result: row.result ?? null,
    error: row.errorMessage === null ? null : { message: row.errorMessage, stack: row.errorStack },
  }
}
