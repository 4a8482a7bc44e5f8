import { opendir } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { and, asc, desc, eq, gt, inArray, lt, lte, ne, notInArray, or, sql } from 'drizzle-orm'
import { logEnding, logFile, removeLog } from '../../runner/log-file.ts'
import type { JobsDb } from '../jobs-db.ts'
import { runs, slots } from '../schema.ts'
import { activeStatuses } from './run-record.ts'

/** What is kept of each job: so many of its newest, and none of them longer than that. */
export interface Retention {
  runsPerJob: number
  slotsPerJob: number
  ageMs: number
}

/** So many rows go before others have their turn: a few milliseconds. */
const portion = 50

/**
 * Forgets the runs of each job that are too many or too old, with their logs, and the slots; returns how many runs
 * went. The newest of each stays, however old: a page says when a yearly job last ran, and the schedule goes on from
 * the last slot that was decided.
 */
export async function pruneHistory(
  db: JobsDb,
  runsDir: string,
  keep: Retention,
  now: number,
  signal?: AbortSignal,
): Promise<number> {
  const before = now - keep.ageMs
  const oldRuns = await collect(db, runs, jobId => surplusRuns(db, jobId, keep.runsPerJob, before))
  for (const seqs of portions(oldRuns)) {
    if (signal?.aborted) return 0
    const gone = db.delete(runs).where(inArray(runs.seq, seqs)).returning({ id: runs.id }).all()
    for (const { id } of gone) await removeLog(logFile(runsDir, id))
    await nextTurn()
  }
  const oldSlots = await collect(db, slots, jobId => surplusSlots(db, jobId, keep.slotsPerJob, before))
  for (const rows of portions(oldSlots)) {
    if (signal?.aborted) break
    db.delete(slots).where(inArray(sql`rowid`, rows)).run()
    await nextTurn()
  }
  return oldRuns.length
}

/**
 * What is found job by job, in the order of age: rows of one time lie on the same pages of the file, so that a portion
 * of them is written in a fraction of the time.
 */
async function collect(
  db: JobsDb,
  table: typeof runs | typeof slots,
  find: (jobId: string) => number[],
): Promise<number[]> {
  const found: number[] = []
  for (let jobId = nextJob(db, table, ''); jobId !== null; jobId = nextJob(db, table, jobId)) {
    for (const row of find(jobId)) found.push(row)
    await nextTurn()
  }
  return found.sort((a, b) => a - b)
}

function* portions(rows: readonly number[]): Generator<number[]> {
  for (let from = 0; from < rows.length; from += portion) yield rows.slice(from, from + portion)
}

/** Removes logs whose run is gone, as a crash between the two leaves them. Returns how many went. */
export async function removeStrayLogs(db: JobsDb, runsDir: string, signal?: AbortSignal): Promise<number> {
  let gone = 0
  const check = async (ids: readonly string[]) => {
    const known = db
      .select({ id: runs.id })
      .from(runs)
      .where(inArray(runs.id, [...ids]))
      .all()
    const strays = new Set(ids).difference(new Set(known.map(({ id }) => id)))
    for (const id of strays) await removeLog(logFile(runsDir, id))
    gone += strays.size
  }
  let ids: string[] = []
  for await (const entry of await opendir(runsDir)) {
    if (signal?.aborted) return gone
    if (!entry.isFile() || !entry.name.endsWith(logEnding)) continue
    ids.push(entry.name.slice(0, -logEnding.length))
    if (ids.length < portion) continue
    await check(ids)
    ids = []
  }
  if (ids.length > 0) await check(ids)
  return gone
}

/** Each job that has rows, in the order of their ids: the index leads from one to the next. */
function nextJob(db: JobsDb, table: typeof runs | typeof slots, after: string): string | null {
  const found = db
    .select({ jobId: table.jobId })
    .from(table)
    .where(gt(table.jobId, after))
    .orderBy(asc(table.jobId))
    .limit(1)
    .get()
  return found?.jobId ?? null
}

/** At most so many of one job at once: the next round finds the others. */
const mostAtOnce = 1000

function surplusRuns(db: JobsDb, jobId: string, most: number, before: number): number[] {
  const ofJob = eq(runs.jobId, jobId)
  const nth = (place: number) =>
    db.select({ seq: runs.seq }).from(runs).where(ofJob).orderBy(desc(runs.seq)).limit(1).offset(place).get()
      ?.seq ?? 0
  const over = notInArray(runs.status, activeStatuses)
  const old = or(lte(runs.seq, nth(most)), lt(runs.queuedAt, before))
  return db
    .select({ seq: runs.seq })
    .from(runs)
    .where(and(ofJob, ne(runs.seq, nth(0)), over, old))
    .orderBy(asc(runs.seq))
    .limit(mostAtOnce)
    .all()
    .map(({ seq }) => seq)
}

function surplusSlots(db: JobsDb, jobId: string, most: number, before: number): number[] {
  const ofJob = eq(slots.jobId, jobId)
  const nth = (place: number) =>
    db.select({ at: slots.at }).from(slots).where(ofJob).orderBy(desc(slots.at)).limit(1).offset(place).get()
      ?.at ?? Number.MIN_SAFE_INTEGER
  return db
    .select({ row: sql<number>`rowid` })
    .from(slots)
    .where(and(ofJob, ne(slots.at, nth(0)), or(lte(slots.at, nth(most)), lt(slots.at, before))))
    .orderBy(asc(slots.at))
    .limit(mostAtOnce)
    .all()
    .map(({ row }) => row)
}
