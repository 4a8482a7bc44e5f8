import { and, eq, isNull, sql } from 'drizzle-orm'
import { type JobSpec, jobSpecSchema } from '../../manifest/manifest.ts'
import type { JobsDb } from '../jobs-db.ts'
import * as schema from '../schema.ts'

/** The set of jobs that runs. */
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

/** Keeps the live set and what is remembered of each job, in the database and at hand. */
export function openLiveSet(db: JobsDb, version: string) {
  let live = readLive(db, version)
  const known = readSchedules(db)

  return {
    current: (): LiveSet | null => live,

    /** A job of the live set with its schedule. */
    schedule: (jobId: string): JobSchedule => known.get(jobId) ?? { enabled: true, since: 0 },

    /** Puts another set in place of the live one, whole or not at all. Jobs whose schedule changed count from now. */
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

/** As the database has them: ten thousand rows take the mapper of columns longer than the rest of the set. */
function readSchedules(db: JobsDb): Map<string, ScheduleRow> {
  const rows = db.all<Omit<ScheduleRow, 'enabled'> & { enabled: number }>(
    sql`select jobId, enabled, cron, timezone, since from ${schema.schedules}`,
  )
  return new Map(rows.map(row => [row.jobId, { ...row, enabled: row.enabled === 1 }]))
}

/**
 * What this very program stored is as it checked it. A set that another one stored, and that this one does not
 * understand whole, counts as never looked at.
 */
function readLive(db: JobsDb, version: string): LiveSet | null {
  const row = db.select().from(schema.liveSets).get()
  if (!row) return null
  const own = row.tree.endsWith(` ${version}`)
  const jobs = own ? row.jobs : row.jobs.flatMap(job => jobSpecSchema.safeParse(job).data ?? [])
  const whole = jobs.length === row.jobs.length
  return { ...row, tree: whole ? row.tree : '', jobs: new Map(jobs.map(job => [job.id, job])) }
}
