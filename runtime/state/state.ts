import { and, eq, inArray, lt, notInArray, sql } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import { type JobState, StateError } from '../runner/job-state.ts'
import { stateLimits } from '../runner/state-limits.ts'
import * as schema from './schema.ts'

export interface StateEntry {
  key: string
  json: string
  bytes: number
  updatedAt: number
}

export interface StateStore {
  of(jobId: string): JobState
  /** By key. */
  list(jobId: string): StateEntry[]
  /** Deletes one key of a job, or all of them; returns how many there were. */
  clear(jobId: string, key?: string): number
  /** Deletes entries unchanged for 90 days of jobs that are not among these. */
  prune(kept: ReadonlySet<string>): void
  /** Writes pending changes to disk. */
  close(): void
}

/**
 * The pause between two commits, as a multiple of how long the last one took: a slow disk delays every change, and
 * those that come meanwhile join the next batch. Jobs that never stop writing take a third of the time at most.
 */
const restTimes = 2
const longestRestMs = 100
const keepMs = 90 * 24 * 3_600_000

type Tx = Parameters<Parameters<Db<typeof schema>['transaction']>[0]>[0]

export function openState({ db, clock }: { db: Db<typeof schema>; clock: Clock }): StateStore {
  const { entries } = schema
  const ofJob = (jobId: string) => eq(entries.jobId, jobId)
  const ofKey = (jobId: string, key: string) => and(ofJob(jobId), eq(entries.key, key))
  const list = (jobId: string): StateEntry[] => {
    const { key, json, bytes, updatedAt } = entries
    return db.select({ key, json, bytes, updatedAt }).from(entries).where(ofJob(jobId)).orderBy(key).all()
  }
  const commits = groupCommit(work => db.transaction(work))

  const put = (tx: Tx, jobId: string, key: string, json: string) => {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(json)
    const others = tx
      .select({ keys: sql<number>`count(*)`, bytes: sql<number>`coalesce(sum(${entries.bytes}), 0)` })
      .from(entries)
      .where(and(ofJob(jobId), sql`${entries.key} <> ${key}`))
      .get() ?? { keys: 0, bytes: 0 }
    if (others.keys >= stateLimits.keys) {
      throw new StateError(`the job keeps ${others.keys} keys already, and no more than that; delete some`)
    }
    if (others.bytes + bytes > stateLimits.jobBytes) {
      const limit = stateLimits.jobBytes
      throw new StateError(
        `with "${key}" the job would keep ${others.bytes + bytes} bytes, more than ${limit}; delete some, or use a file`,
      )
    }
    const row = { jobId, key, json, bytes, updatedAt: clock.now() }
    tx.insert(entries)
      .values(row)
      .onConflictDoUpdate({ target: [entries.jobId, entries.key], set: row })
      .run()
  }

  return {
    of: jobId => ({
      get: async key => db.select().from(entries).where(ofKey(jobId, key)).get()?.json ?? null,
      set: (key, json) => commits.add(tx => put(tx, jobId, key, json)),
      delete: key => commits.add(tx => tx.delete(entries).where(ofKey(jobId, key)).run().changes > 0),
      entries: async () => list(jobId).map(({ key, json }) => [key, json]),
    }),
    list,
    clear: (jobId, key) =>
      db
        .delete(entries)
        .where(key === undefined ? ofJob(jobId) : ofKey(jobId, key))
        .run().changes,
    prune: kept => {
      const stale = lt(entries.updatedAt, clock.now() - keepMs)
      const ids = db
        .selectDistinct({ jobId: entries.jobId })
        .from(entries)
        .all()
        .flatMap(({ jobId }) => (kept.has(jobId) ? [] : [jobId]))
      const fresh = db.select({ jobId: entries.jobId }).from(entries).where(sql`not ${stale}`)
      db.delete(entries)
        .where(and(inArray(entries.jobId, ids), notInArray(entries.jobId, fresh)))
        .run()
    },
    close: commits.close,
  }
}

/**
 * Commits several changes in one transaction. One that throws a StateError is left out; any other error undoes them
 * all.
 */
function groupCommit(transaction: (work: (tx: Tx) => void) => void) {
  let waiting: { apply: (tx: Tx) => void; finish: (error: Error | null) => void }[] = []
  let timer: NodeJS.Timeout | null = null
  let readyAt = Number.NEGATIVE_INFINITY

  const commit = () => {
    timer = null
    const began = performance.now()
    const batch = waiting
    waiting = []
    const refused = new Map<unknown, Error>()
    try {
      transaction(tx => {
        for (const each of batch) {
          try {
            each.apply(tx)
          } catch (error) {
            if (!(error instanceof StateError)) throw error
            refused.set(each, error)
          }
        }
      })
      for (const each of batch) each.finish(refused.get(each) ?? null)
    } catch (error) {
      for (const each of batch) each.finish(error as Error)
    }
    const now = performance.now()
    readyAt = now + Math.min(longestRestMs, restTimes * (now - began))
  }

  return {
    add: <T>(change: (tx: Tx) => T): Promise<T> =>
      new Promise((resolve, reject) => {
        let done: T
        waiting.push({
          apply: tx => {
            done = change(tx)
          },
          finish: error => (error ? reject(error) : resolve(done)),
        })
        timer ??= setTimeout(commit, Math.max(0, readyAt - performance.now()))
      }),
    close: () => {
      if (timer === null) return
      clearTimeout(timer)
      commit()
    },
  }
}
