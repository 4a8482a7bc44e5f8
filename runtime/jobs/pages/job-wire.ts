import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { catchUps, interruptRules, type Job, overlaps } from '../contract.ts'
import { runJson, runShape } from './wire.ts'

const time = z.iso.datetime()

export const jobShape = z
  .object({
    id: z.string(),
    cron: z.string(),
    timezone: z.string(),
    description: z.string(),
    enabled: z.boolean(),
    source: z
      .object({ file: z.string(), line: z.int() })
      .nullable()
      .meta({ description: 'Where the job is registered, relative to the jobs repo' }),
    next_run_at: time.nullable().meta({
      description: 'The next due time; null when the job is disabled or its cron expression has none left',
    }),
    last_run: runShape.nullable(),
    timeout_ms: z.int(),
    memory_bytes: z
      .int()
      .meta({ description: 'The memory limit of a run, including the processes it starts' }),
    catch_up: z.enum(catchUps).meta({
      description: 'Which due times that were missed while the instance was down are run afterwards',
    }),
    catch_up_window_ms: z.int().meta({ description: 'Due times older than this are not run afterwards' }),
    overlap: z.enum(overlaps).meta({
      description:
        'What happens at a due time while an earlier run is active: skip the due time, queue its run, or replace the earlier run',
    }),
    retry: z
      .object({
        attempts: z.int(),
        delay_ms: z.int(),
        factor: z.number(),
        max_delay_ms: z.int(),
        jitter: z.number(),
      })
      .nullable(),
    on_interrupt: z.enum(interruptRules).meta({
      description: 'What happens to a run that a restart of the instance interrupts',
    }),
    concurrency_key: z.string().nullable().meta({ description: 'Jobs that share a key run one at a time' }),
    notify: z
      .object({
        failures: z
          .union([z.int(), z.literal(false)])
          .nullable()
          .meta({ description: 'Notify after this many failed runs in a row' }),
        long_run_ms: z
          .union([z.int(), z.literal(false)])
          .nullable()
          .meta({ description: 'Notify when a run takes longer than this' }),
        overdue: z.boolean().meta({ description: 'Notify when a due time leads to no run' }),
        missed: z
          .boolean()
          .meta({ description: 'Notify about due times that passed while the instance was down' }),
        emails: z.array(z.string()).nullable(),
        webhook: z.string().nullable(),
      })
      .meta({
        description: 'When and where to send notices about the job: null uses the default, false sends none',
      }),
    params: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'The parameters of its runs, as JSON Schema; null when they are not checked' }),
    secrets: z.array(z.string()).meta({ description: 'Names of the secrets that its runs receive' }),
    missing_secrets: z.array(z.string()).meta({
      description: 'Secrets that are not set or cannot be decrypted; until they are set, its runs fail',
    }),
  })
  .meta({
    id: 'Job',
    description: 'A registered job, with defaults for everything that the manifest leaves out',
  })

export function jobJson(job: Job): z.input<typeof jobShape> {
  return {
    id: job.id,
    cron: job.cron,
    timezone: job.timezone,
    description: job.description,
    enabled: job.enabled,
    source: job.source,
    next_run_at: timestamp(job.nextRunAt),
    last_run: job.lastRun && runJson(job.lastRun),
    ...policiesJson(job.policies),
    notify: notifyJson(job.notify),
    params: job.params && { ...job.params.schema },
    secrets: [...job.secrets],
    missing_secrets: [...job.missingSecrets],
  }
}

function policiesJson(policies: Job['policies']) {
  const { timeoutMs, memory, catchUp, catchUpWindowMs, overlap, retry, onInterrupt, concurrencyKey } =
    policies
  return {
    timeout_ms: timeoutMs,
    memory_bytes: memory.bytes,
    catch_up: catchUp,
    catch_up_window_ms: catchUpWindowMs,
    overlap,
    retry: retry && {
      attempts: retry.attempts,
      delay_ms: retry.delayMs,
      factor: retry.factor,
      max_delay_ms: retry.maxDelayMs,
      jitter: retry.jitter,
    },
    on_interrupt: onInterrupt,
    concurrency_key: concurrencyKey,
  }
}

function notifyJson({ longRun, ...notify }: Job['notify']) {
  return { ...notify, long_run_ms: longRun }
}
