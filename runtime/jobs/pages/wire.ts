import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { type Run, runStatuses, runTriggers, type Slot, slotOutcomes } from '../contract.ts'

const time = z.iso.datetime()

export const runShape = z
  .object({
    id: z.string(),
    job_id: z.string(),
    status: z.enum(runStatuses),
    trigger: z.enum(runTriggers),
    slot: time
      .nullable()
      .meta({ description: 'The due time that the run is for; null when a person or a script started it' }),
    attempt: z.int().meta({ description: 'The number of this attempt, from 1' }),
    commit: z.string().nullable().meta({ description: 'The commit of the jobs repo that the run executes' }),
    params: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The parameters that the run was created with' }),
    replay_of: z.string().nullable().meta({ description: 'The run that this one replays' }),
    attempt_of: z.string().nullable().meta({ description: 'The first attempt, when this run is a retry' }),
    not_before: time.nullable().meta({ description: 'The earliest time at which this retry starts' }),
    queued_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    duration_ms: z.number().nullable(),
    result: z.unknown().meta({ description: 'What the job returned, as JSON' }),
    error: z.object({ message: z.string(), stack: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Run', description: 'One execution attempt of a job' })

export const slotShape = z
  .object({
    slot: time.meta({ description: 'The due time' }),
    outcome: z.enum(slotOutcomes),
    reason: z.string().nullable().meta({ description: 'The reason for the outcome, if there is one' }),
    run_id: z.string().nullable().meta({ description: 'The run that was started for it' }),
    run_status: z
      .enum(runStatuses)
      .nullable()
      .meta({ description: 'The status of that run, or of its last retry' }),
  })
  .meta({ id: 'Slot', description: 'A due time of a job, and its outcome' })

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

export function slotJson({ at, outcome, reason, runId, runStatus }: Slot): z.input<typeof slotShape> {
  return { slot: timestamp(at), outcome, reason, run_id: runId, run_status: runStatus }
}
