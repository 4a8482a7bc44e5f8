import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import type { JobsDifference, ManifestState, Run, Slot } from '../jobs/contract.ts'
import type { RepoStatus } from '../repo/contract.ts'

const time = z.iso.datetime()

const runStatus = z.enum([
  'queued',
  'running',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'interrupted',
])

export const runShape = z
  .object({
    id: z.string(),
    job_id: z.string(),
    status: runStatus,
    trigger: z.enum(['schedule', 'manual', 'api']),
    slot: time.nullable().meta({ description: 'The due time that it is for' }),
    attempt: z.int(),
    commit: z.string().nullable(),
    params: z.record(z.string(), z.unknown()).meta({ description: 'What it was made with' }),
    replay_of: z.string().nullable().meta({ description: 'The run that it does again' }),
    attempt_of: z.string().nullable().meta({ description: 'Of another attempt, the first one' }),
    not_before: time.nullable().meta({ description: 'When another attempt may start' }),
    queued_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    duration_ms: z.number().nullable(),
    result: z.unknown().meta({ description: 'What the job returned' }),
    error: z.object({ message: z.string(), stack: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Run', description: 'One execution attempt of a job' })

export const differenceShape = z
  .object({
    added: z.int(),
    removed: z.int(),
    changed: z.int(),
    jobs: z
      .array(
        z.object({
          id: z.string(),
          kind: z.enum(['added', 'removed', 'changed']),
          fields: z.array(z.string()),
          cron: z.string(),
          timezone: z.string(),
          next_run_at: time.nullable(),
        }),
      )
      .meta({ description: 'The first hundred of them' }),
  })
  .meta({ id: 'Difference' })

export const manifestErrorShape = z
  .object({
    file: z.string().nullable(),
    line: z.int().nullable(),
    column: z.int().nullable(),
    message: z.string(),
  })
  .meta({ id: 'ManifestError' })

export const manifestShape = z
  .object({
    status: z.enum(['ok', 'error', 'loading']),
    commit: z.string().nullable().meta({ description: 'Of the set that runs now: the last good one' }),
    loaded_at: time.nullable(),
    errors: z.array(manifestErrorShape),
    waiting_for: z
      .enum(['packages', 'registry', 'confirmation'])
      .nullable()
      .meta({ description: 'What stands between the files and the set that runs, when it is no mistake' }),
    next_try_at: time.nullable().meta({
      description: 'While it waits for the registry, when the packages are installed again by themselves',
    }),
    difference: differenceShape.nullable().meta({
      description: 'What the last load changed; while it waits for a confirmation, what it would change',
    }),
  })
  .meta({ id: 'Manifest' })

export const slotShape = z
  .object({
    slot: time.meta({ description: 'The due time' }),
    outcome: z.enum(['ran', 'late', 'skipped', 'missed', 'interrupted']),
    reason: z.string().nullable(),
    run_id: z.string().nullable(),
    run_status: runStatus.nullable().meta({ description: 'Of that run, or of the last attempt after it' }),
  })
  .meta({ id: 'Slot' })

export const repoShape = z
  .object({
    initialized: z.boolean(),
    branch: z.string().nullable(),
    head: z.object({ commit: z.string(), message: z.string(), at: time }).nullable(),
    dirty: z.boolean(),
    obstacle: z.string().nullable().meta({ description: 'Why changes are not committed' }),
    not_fetched: z
      .array(z.object({ path: z.string(), kind: z.enum(['submodule', 'lfs', 'packages']) }))
      .meta({
        description:
          'In git, and not in the files: submodules, Git LFS pointers, committed packages. The first hundred; they stay in git as they are',
      }),
    not_committed: z
      .array(z.object({ path: z.string(), kind: z.enum(['name', 'repository', 'environment']) }))
      .meta({
        description:
          'In the files, and never in git: a name that git refuses, a repository of its own, or a file of secrets such as .env',
      }),
    remote: z.object({
      connected: z.boolean(),
      url: z.string().nullable(),
      branch: z.string().nullable(),
      ahead: z
        .int()
        .nullable()
        .meta({ description: 'Commits that the remote is not known to have, also while it is away' }),
      unpushed: z
        .array(z.object({ commit: z.string(), message: z.string(), at: time, author: z.string() }))
        .meta({ description: 'The newest twenty of them' }),
      behind: z.int().nullable(),
      last_sync_at: time.nullable(),
      error: z.string().nullable().meta({ description: 'Why the last sync failed; it is retried' }),
      next_sync_at: time.nullable(),
      syncing: z.boolean(),
      conflict: z
        .object({
          kind: z.enum(['edits', 'rewritten']),
          ours: z.string(),
          theirs: z.string(),
          side_branch: z.string().nullable().meta({ description: 'Where on the remote our side is' }),
          files: z.array(
            z.object({ path: z.string(), ours: z.string().nullable(), theirs: z.string().nullable() }),
          ),
        })
        .nullable()
        .meta({ description: 'Both sides changed the same; POST /api/jobs/repo/resolve settles it' }),
      held: z
        .object({ theirs: z.string(), removes: z.array(z.string()), of: z.int() })
        .nullable()
        .meta({ description: 'Jobs that the remote would remove; POST /api/jobs/repo/sync confirms it' }),
    }),
  })
  .meta({ id: 'Repo' })

export function runJson(run: Run): z.input<typeof runShape> {
  return {
    id: run.id,
    job_id: run.jobId,
    status: run.status,
    trigger: run.trigger,
    slot: timestamp(run.slot),
    attempt: run.attempt,
    commit: run.commit,
    params: run.params,
    replay_of: run.replayOf,
    attempt_of: run.attemptOf,
    not_before: timestamp(run.notBefore),
    queued_at: timestamp(run.queuedAt),
    started_at: timestamp(run.startedAt),
    finished_at: timestamp(run.finishedAt),
    duration_ms: run.durationMs,
    result: run.result ?? null,
    error: run.error,
  }
}

export function manifestJson(manifest: ManifestState): z.input<typeof manifestShape> {
  const { status, commit, loadedAt, errors, waitingFor, nextTryAt, difference } = manifest
  return {
    status,
    commit,
    loaded_at: timestamp(loadedAt),
    errors,
    waiting_for: waitingFor,
    next_try_at: timestamp(nextTryAt),
    difference: difference && differenceJson(difference),
  }
}

export function differenceJson(difference: JobsDifference): z.input<typeof differenceShape> {
  const jobs = difference.jobs.map(({ nextRunAt, ...job }) => ({ ...job, next_run_at: timestamp(nextRunAt) }))
  return { ...difference, jobs }
}

export function slotJson({ at, outcome, reason, runId, runStatus }: Slot): z.input<typeof slotShape> {
  return { slot: timestamp(at), outcome, reason, run_id: runId, run_status: runStatus }
}

export function repoJson({
  initialized,
  branch,
  head,
  dirty,
  obstacle,
  notFetched,
  notCommitted,
  remote,
}: RepoStatus): z.input<typeof repoShape> {
  const { lastSyncAt, nextSyncAt, conflict, held, unpushed, ...rest } = remote
  return {
    initialized,
    branch,
    head: head && { ...head, at: timestamp(head.at) },
    dirty,
    obstacle,
    not_fetched: [...notFetched],
    not_committed: [...notCommitted],
    remote: {
      ...rest,
      unpushed: remote.connected ? unpushed.commits.map(each => ({ ...each, at: timestamp(each.at) })) : [],
      last_sync_at: timestamp(lastSyncAt),
      next_sync_at: timestamp(nextSyncAt),
      conflict: conflict && {
        kind: conflict.kind,
        ours: conflict.ours,
        theirs: conflict.theirs,
        side_branch: conflict.sideBranch,
        files: conflict.files,
      },
      held: held && { theirs: held.theirs, removes: held.removes, of: held.of },
    },
  }
}

/** A time in a query, in milliseconds. */
export const timeField = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-03-28T12:00:00Z' })
  .transform(text => Date.parse(text))
