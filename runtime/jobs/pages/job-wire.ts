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
    source: z.object({ file: z.string(), line: z.int() }).nullable(),
    next_run_at: time.nullable(),
    last_run: runShape.nullable(),
    timeout_ms: z.int(),
    memory_bytes: z.int().meta({ description: 'What a run may hold with all that it starts' }),
    catch_up: z.enum(catchUps),
    catch_up_window_ms: z.int(),
    overlap: z.enum(overlaps),
    retry: z
      .object({
        attempts: z.int(),
        delay_ms: z.int(),
        factor: z.number(),
        max_delay_ms: z.int(),
        jitter: z.number(),
      })
      .nullable(),
    on_interrupt: z.enum(interruptRules),
    concurrency_key: z.string().nullable(),
    notify: z
      .object({
        failures: z.union([z.int(), z.literal(false)]).nullable(),
        long_run_ms: z.union([z.int(), z.literal(false)]).nullable(),
        overdue: z.boolean(),
        missed: z.boolean(),
        emails: z.array(z.string()).nullable(),
        webhook: z.string().nullable(),
      })
      .meta({ description: 'What of it is told; null is as the settings say, and false never' }),
    params: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What its runs may be told, as JSON Schema; null when they take anything' }),
    secrets: z.array(z.string()).meta({ description: 'Names of those that its runs get' }),
    missing_secrets: z
      .array(z.string())
      .meta({ description: 'Those that are not set or cannot be read: no run starts without them' }),
  })
  .meta({
    id: 'Job',
    description: 'A registered job, with everything that its manifest leaves out filled in',
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
