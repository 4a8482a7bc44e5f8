import { and, eq, isNull, sql } from 'drizzle-orm'
import { type JobSpec, jobSpecSchema } from '../../manifest/manifest.ts'
import type { JobsDb } from '../jobs-db.ts'
import * as schema from '../schema.ts'
import { openLiveCommits } from './live-commits.ts'

/** The set of jobs that is scheduled now. */
export interface LiveSet {
  build: string
  commit: string | null
  tree: string
  loadedAt: number
  jobs: ReadonlyMap<string, JobSpec>
}

export interface JobSchedule {
  enabled: boolean
  since: number
}

/** Keeps the live set, and the schedule of every job that ever was in it, in the database and in memory. */
export function openLiveSet(db: JobsDb, version: string) {
  let live = readLive(db, version)
  const known = readSchedules(db)
  const commits = openLiveCommits(db)

  return {
    current: (): LiveSet | null => live,

    /** When each of these commits went live, if it did. */
    liveSince: commits.of,

    /** The schedule of a job; since ever, and enabled, when the job is unknown. */
    schedule: (jobId: string): JobSchedule => known.get(jobId) ?? { enabled: true, since: 0 },

    /** Replaces the live set in one transaction. The slots of jobs whose schedule changed count from now. */
    swap: (set: LiveSet, now: number): void => {
      const changed = [...set.jobs.values()].flatMap(job => {
        const row = known.get(job.id)
        if (row?.cron === job.cron && row.timezone === job.timezone) return []
        const { id: jobId, cron, timezone } = job
        return [{ jobId, cron, timezone, enabled: row?.enabled ?? true, since: now }]
      })
      const gone = [...known.values()].filter(row => row.cron !== '' && !set.jobs.has(row.jobId))
      db.transaction(tx => {
        const values = { ...set, id: 1, jobs: [...set.jobs.values()] }
        tx.insert(schema.liveSets)
          .values(values)
          .onConflictDoUpdate({ target: schema.liveSets.id, set: values })
          .run()
        if (set.commit !== null) commits.write(set.commit, now)
        tx.update(schema.runs)
          .set({ commit: set.commit })
          .where(and(eq(schema.runs.build, set.build), isNull(schema.runs.commit)))
          .run()
        for (const row of changed) {
          tx.insert(schema.schedules)
            .values(row)
            .onConflictDoUpdate({ target: schema.schedules.jobId, set: row })
            .run()
        }
        for (const { jobId } of gone) {
          tx.update(schema.schedules).set({ cron: '' }).where(eq(schema.schedules.jobId, jobId)).run()
        }
      })
      for (const row of changed) known.set(row.jobId, row)
      for (const row of gone) known.set(row.jobId, { ...row, cron: '' })
      live = set
    },

    setEnabled: (jobId: string, enabled: boolean, now: number): void => {
      const row = known.get(jobId)
      if (!row || row.enabled === enabled) return
      const change = { enabled, since: now }
      db.update(schema.schedules).set(change).where(eq(schema.schedules.jobId, jobId)).run()
      known.set(jobId, { ...row, ...change })
    },
  }
}

export type LiveSetStore = ReturnType<typeof openLiveSet>

type ScheduleRow = typeof schema.schedules.$inferSelect

/** Reads raw rows: for ten thousand jobs, drizzle's mapping takes longer than everything else. */
function readSchedules(db: JobsDb): Map<string, ScheduleRow> {
  const rows = db.all<Omit<ScheduleRow, 'enabled'> & { enabled: number }>(
    sql`select jobId, enabled, cron, timezone, since from ${schema.schedules}`,
  )
  return new Map(rows.map(row => [row.jobId, { ...row, enabled: row.enabled === 1 }]))
}

/**
 * Reads the stored set. One that this version of the program stored needs no check. One of another version is checked;
 * if this version does not understand all of it, the files count as never looked at.
 */
function readLive(db: JobsDb, version: string): LiveSet | null {
  const row = db.select().from(schema.liveSets).get()
  if (!row) return null
  const own = row.tree.endsWith(` ${version}`)
  const jobs = own ? row.jobs : row.jobs.flatMap(job => jobSpecSchema.safeParse(job).data ?? [])
  const whole = jobs.length === row.jobs.length
  return { ...row, tree: whole ? row.tree : '', jobs: new Map(jobs.map(job => [job.id, job])) }
}
