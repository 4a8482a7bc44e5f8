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

export const slotShape = z
  .object({
    slot: time.meta({ description: 'The due time' }),
    outcome: z.enum(slotOutcomes),
    reason: z.string().nullable(),
    run_id: z.string().nullable(),
    run_status: z
      .enum(runStatuses)
      .nullable()
      .meta({ description: 'Of that run, or of the last attempt after it' }),
  })
  .meta({ id: 'Slot' })

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
