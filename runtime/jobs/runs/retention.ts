import { opendir } from 'node:fs/promises'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { and, asc, desc, eq, gt, inArray, lt, lte, ne, notInArray, or, sql } from 'drizzle-orm'
import { logEnding, logFile, removeLog } from '../../runner/log-file.ts'
import type { JobsDb } from '../jobs-db.ts'
import { runs, slots } from '../schema.ts'
import { activeStatuses } from './run-record.ts'

/** How many of the newest runs and slots of each job are kept, and for how long. */
export interface Retention {
  runsPerJob: number
  slotsPerJob: number
  ageMs: number
}

/** How many rows are deleted before other work runs. They take a few milliseconds. */
const portion = 50

/**
 * Deletes the runs of each job that are too many or too old, with their logs, and such slots. Returns how many runs
 * were deleted. The newest run and slot of each job stay, however old: pages show when a yearly job last ran, and the
 * schedule continues from the last decided slot.
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
    await yieldToOthers()
  }
  const oldSlots = await collect(db, slots, jobId => surplusSlots(db, jobId, keep.slotsPerJob, before))
  for (const rows of portions(oldSlots)) {
    if (signal?.aborted) break
    db.delete(slots).where(inArray(sql`rowid`, rows)).run()
    await yieldToOthers()
  }
  return oldRuns.length
}

/**
 * Collects the rows to delete job by job, and returns them by age: rows of the same time lie on the same pages of the
 * database file, so that deleting them together takes a fraction of the time.
 */
async function collect(
  db: JobsDb,
  table: typeof runs | typeof slots,
  find: (jobId: string) => number[],
): Promise<number[]> {
  const found: number[] = []
  for (let jobId = nextJob(db, table, ''); jobId !== null; jobId = nextJob(db, table, jobId)) {
    for (const row of find(jobId)) found.push(row)
    await yieldToOthers()
  }
  return found.sort((a, b) => a - b)
}

function* portions(rows: readonly number[]): Generator<number[]> {
  for (let from = 0; from < rows.length; from += portion) yield rows.slice(from, from + portion)
}

/** Removes logs whose run is gone, which a crash between the two leaves behind. Returns how many it removed. */
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

/** Returns the first job id after `after` that has rows, by the index; null when there is none. */
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

/** The most rows of one job that a round deletes. The next round finds the others. */
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
