import { z } from 'zod'
import { durationMs } from '../../src/config.ts'
import type { ManifestError } from '../contract.ts'
import { scheduleFaults } from './cron.ts'
import { type Registration, readingLimits } from './reading.ts'

/** A registered job without its code: what the schedule needs to know. */
export interface JobSpec {
  id: string
  cron: string
  timezone: string
  description: string
  timeoutMs: number
  source: { file: string; line: number } | null
}

export const defaultTimeoutMs = 5 * 60_000
const longestTimeoutMs = 24 * 3_600_000

/** Their routes would collide: `/api/jobs/repo` is not a job. */
const reservedIds = ['repo']

const text = (what: string) =>
  z.string({ error: issue => (issue.input === undefined ? `is missing; ${what}` : `must be text: ${what}`) })

const fieldsOf = (timezone: string) =>
  z.strictObject(
    {
      id: text('a name of lowercase letters, digits and dashes')
        .regex(
          /^[a-z0-9]+(-[a-z0-9]+)*$/,
          'must be lowercase letters, digits and single dashes, such as daily-digest',
        )
        .max(64, 'must be at most 64 characters')
        .refine(id => !reservedIds.includes(id), 'is a reserved name; choose another'),
      cron: text('such as 0 8 * * *').max(200, 'must be at most 200 characters'),
      func: z.custom(
        value => (value as { kind?: string } | undefined)?.kind === 'function',
        'must be a function: the one that the job runs',
      ),
      description: text('one line for people').max(500, 'must be at most 500 characters').default(''),
      timezone: text('such as Europe/Berlin').default(timezone),
      timeout: text('such as 30s, 10m or 2h')
        .transform(durationMs)
        .refine(
          ms => ms >= 1000 && ms <= longestTimeoutMs,
          'must be a duration from 1s to 24h, such as 30s, 10m or 2h',
        )
        .optional(),
    },
    {
      error: issue =>
        issue.code === 'unrecognized_keys'
          ? `has no field called ${issue.keys.join(', ')}; known are id, cron, func, description, timezone, timeout`
          : undefined,
    },
  )

/** Checks what a manifest registered, all of it at once. `timezone` is for jobs that name none. */
export async function checkRegistrations(
  registrations: readonly Registration[],
  timezone: string,
): Promise<{ jobs: JobSpec[]; errors: ManifestError[] }> {
  const fields = fieldsOf(timezone)
  const jobs = new Map<string, JobSpec>()
  const errors: ManifestError[] = []
  if (registrations.length > readingLimits.registrations) {
    return { jobs: [], errors: [nowhere(`registers more than ${readingLimits.registrations} jobs`)] }
  }
  for (const [position, { fields: given, file, line, column }] of registrations.entries()) {
    // A large manifest must not hold up the schedule that runs.
    if (position % 100 === 99) await new Promise(done => setImmediate(done))
    const refuse = (message: string) => errors.push({ file, line, column, message })
    const name = typeof given.id === 'string' ? `job "${given.id.slice(0, 70)}"` : 'a job'
    const parsed = fields.safeParse(withoutUndefined(given))
    for (const issue of parsed.error?.issues ?? []) {
      refuse(`${name}: ${[...issue.path.map(String), issue.message].join(' ')}`)
    }
    const cron = parsed.success ? parsed.data.cron : given.cron
    if (typeof cron === 'string') {
      const zone = typeof given.timezone === 'string' ? given.timezone : timezone
      for (const fault of scheduleFaults({ cron, timezone: zone }))
        refuse(`${name}: ${fault.field} ${fault.message}`)
    }
    const earlier = typeof given.id === 'string' ? jobs.get(given.id) : undefined
    if (earlier) refuse(`${name}: another job has this id, registered ${placeOf(earlier)}`)
    if (!parsed.success || earlier) continue
    const { id, description, timeout } = parsed.data
    jobs.set(id, {
      id,
      cron: parsed.data.cron.trim(),
      timezone: parsed.data.timezone,
      description,
      timeoutMs: timeout ?? defaultTimeoutMs,
      source: file !== null && line !== null ? { file, line } : null,
    })
  }
  return { jobs: [...jobs.values()], errors: errors.slice(0, readingLimits.errors) }
}

/** An option that is given as `undefined` counts as left out. */
function withoutUndefined(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => (value as { kind?: string } | null)?.kind !== 'undefined'),
  )
}

function placeOf(job: JobSpec): string {
  return job.source ? `at ${job.source.file}:${job.source.line}` : 'earlier'
}

function nowhere(message: string): ManifestError {
  return { file: 'manifest.ts', line: null, column: null, message: `the manifest ${message}` }
}
