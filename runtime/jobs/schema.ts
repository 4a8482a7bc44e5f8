import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { JobSpec } from '../manifest/manifest.ts'
import { runStatuses, runTriggers, slotOutcomes } from './contract.ts'
import type { RunPolicy } from './follow-up.ts'

/** The set of jobs that is live: one row, or none before the first manifest has loaded. */
export const liveSets = sqliteTable('jobs_live_sets', {
  id: integer().primaryKey(),
  /** The folder below `builds/`. */
  build: text().notNull(),
  commit: text(),
  /** The stamp of the tree when it was loaded; an equal one means that there is nothing to load. */
  tree: text().notNull(),
  jobs: text({ mode: 'json' }).$type<JobSpec[]>().notNull(),
  loadedAt: integer().notNull(),
})

/** The commits that were live, in order. */
export const liveCommits = sqliteTable(
  'jobs_live_commits',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    commit: text().notNull(),
    at: integer().notNull(),
  },
  table => [index('jobs_live_commits_by_commit').on(table.commit)],
)

/** The state of each job id that was ever registered. */
export const schedules = sqliteTable('jobs_schedules', {
  jobId: text().primaryKey(),
  enabled: integer({ mode: 'boolean' }).notNull(),
  /** The schedule as it was last live; '' while the job is not registered. */
  cron: text().notNull(),
  timezone: text().notNull(),
  /** Slots count from this time: the last change of the schedule, or its last enabling. */
  since: integer().notNull(),
})

/** Every due slot and its result. The key keeps a slot from starting twice. */
export const slots = sqliteTable(
  'jobs_slots',
  {
    jobId: text().notNull(),
    at: integer().notNull(),
    outcome: text({ enum: slotOutcomes }).notNull(),
    reason: text(),
    runId: text(),
    decidedAt: integer().notNull(),
  },
  table => [
    primaryKey({ columns: [table.jobId, table.at] }),
    index('jobs_slots_by_decision').on(table.decidedAt),
  ],
)

export const runs = sqliteTable(
  'jobs_runs',
  {
    /** Orders runs by age even when the clock was set back. */
    seq: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    jobId: text().notNull(),
    status: text({ enum: runStatuses }).notNull(),
    trigger: text({ enum: runTriggers }).notNull(),
    slot: integer(),
    attempt: integer().notNull(),
    commit: text(),
    build: text().notNull(),
    params: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    timeoutMs: integer().notNull(),
    /** The earliest start of a retry. Such a run survives a restart. */
    notBefore: integer(),
    policy: text({ mode: 'json' }).$type<RunPolicy>(),
    /** The run that this one replays. */
    replayOf: text(),
    /** For a retry, the first attempt. */
    attemptOf: text(),
    queuedAt: integer().notNull(),
    startedAt: integer(),
    finishedAt: integer(),
    durationMs: integer(),
    result: text({ mode: 'json' }).$type<unknown>(),
    errorMessage: text(),
    errorStack: text(),
  },
  table => [
    index('jobs_runs_by_job').on(table.jobId, table.seq),
    index('jobs_runs_by_status').on(table.status, table.seq),
    index('jobs_runs_by_first_attempt').on(table.attemptOf).where(sql`"attemptOf" is not null`),
  ],
)
