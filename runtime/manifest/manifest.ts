import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { JobDefinition } from '../../sdk/jobs.js'
import { durationMs } from '../../src/kernel/config.ts'
import { scheduleFaults } from '../cron/cron.ts'
import { isRecord, requiredOf } from '../params/json-schema.ts'
import type { ParamsSpec } from '../params/params.ts'
import { schemaOfShape } from '../params/shape.ts'
import { duration, number, oneEach, oneOf, only, size, text } from './field-types.ts'
import type { ManifestError } from './manifest-error.ts'
import { ordinaryNotify, storedNotify, writtenNotify } from './notify.ts'
import { catchUps, interruptRules, overlaps } from './policies.ts'
import { type Field, type Registration, readingLimits } from './reader-protocol.ts'
import { isTakenByPrograms, secretName, secretNameRule } from './secret-names.ts'

/** Their routes would collide: `/api/jobs/repo` is not a job. */
const reservedIds = ['repo']

/** A value that JSON cannot represent, such as a function: only its kind is known here. */
class Foreign {
  readonly kind: string
  constructor(kind: string) {
    this.kind = kind
  }
}

/** The JSON Schema of a library's schema. */
class FoundSchema {
  readonly schema: Record<string, unknown>
  constructor(schema: Record<string, unknown>) {
    this.schema = schema
  }
}

/**
 * The one definition of a job's fields. `written` is the form in a manifest, with durations as text such as `5m` and
 * sizes such as `512m`; `stored` is in milliseconds and bytes. `timezone` is the default.
 */
function jobFields(form: 'written' | 'stored', timezone: string) {
  const time = (least: string, most: string): z.ZodType<number> =>
    form === 'stored' ? z.number() : duration(least, most)
  return {
    id: text('a name of lowercase letters, digits and dashes')
      .regex(
        /^[a-z0-9]+(-[a-z0-9]+)*$/,
        'must be lowercase letters, digits and single dashes, such as daily-digest',
      )
      .max(64, 'must be at most 64 characters')
      .refine(id => !reservedIds.includes(id), 'is a reserved name; choose another'),
    cron: text('such as 0 8 * * *').trim().max(200, 'must be at most 200 characters'),
    description: text('one line for people').max(500, 'must be at most 500 characters').default(''),
    timezone: text('such as Europe/Berlin').default(timezone),
    timeout: time('1s', '24h').default(durationMs('5m')),
    memory: (form === 'stored' ? z.number() : size('64m', '64g')).nullable().default(null),
    catchUp: oneOf(...catchUps).default('latest'),
    catchUpWindow: time('1m', '366d').default(durationMs('1d')),
    overlap: oneOf(...overlaps).default('skip'),
    retry: only(
      {
        attempts: number(1, 100).refine(Number.isInteger, 'must be a whole number'),
        delay: time('1s', '24h').default(durationMs('10s')),
        factor: number(1, 10).default(2),
        maxDelay: time('1s', '24h').default(durationMs('1h')),
        jitter: number(0, 1).default(0),
      },
      'must be an object such as { attempts: 3 }',
    )
      .nullable()
      .default(null),
    onInterrupt: oneOf(...interruptRules).default('fail'),
    concurrencyKey: text('a name that jobs share')
      .min(1, 'must not be empty')
      .max(100, 'must be at most 100 characters')
      .nullable()
      .default(null),
    secrets: secretNames.default([]),
    notify: (form === 'stored' ? storedNotify : writtenNotify).default(ordinaryNotify),
    params: (form === 'stored' ? storedParams : writtenParams).nullable().default(null),
  } satisfies Record<Exclude<keyof JobDefinition, 'func'>, z.ZodType>
}

const storedParams = z.object({ schema: z.record(z.string(), z.unknown()), plain: z.boolean() })

const writtenParams = z.unknown().transform((given, context): ParamsSpec | null => {
  const fault = (message: string, path: string[] = []) =>
    context.addIssue({ code: 'custom', message, path, input: given })
  if (given === null) return null
  const plain = !(given instanceof FoundSchema)
  if (plain && (!isRecord(given) || given instanceof Foreign)) {
    fault("must be a zod schema of an object, or a plain shape such as { name: 'string' }")
    return z.NEVER
  }
  const { schema, faults } = plain ? schemaOfShape(given) : { schema: given.schema, faults: [] }
  for (const { path, message } of faults) fault(message, path)
  if (schema.type !== undefined && schema.type !== 'object') fault('must be the schema of an object')
  for (const name of requiredOf(schema)) {
    fault('needs a default, or must be optional: its schedule gives it nothing', [name])
  }
  return { schema, plain }
})

const mostSecrets = 50
const secretNames = z
  .array(
    text("a secret's name such as API_TOKEN")
      .regex(secretName, secretNameRule)
      .refine(
        name => !isTakenByPrograms(name),
        'is a name that means something to programs; give the secret another one, such as MY_…',
      ),
    { error: "must be a list of names such as ['API_TOKEN']" },
  )
  .max(mostSecrets, `must be at most ${mostSecrets} names`)
  .refine(names => new Set(names).size === names.length, 'names a secret twice')

function writtenJob(timezone: string) {
  const { id, cron, ...others } = jobFields('written', timezone)
  const func = z.custom(value => value instanceof Foreign && value.kind === 'function', {
    error: ({ input }) =>
      input === undefined
        ? 'is missing. Set it to the function that the job runs.'
        : 'must be a function, the one that the job runs',
  })
  return only({ id, cron, func, ...others })
}

/** A stored job. Jobs stored by older programs are valid as long as all newer fields have defaults. */
export const jobSpecSchema = z.object({
  ...jobFields('stored', 'UTC'),
  source: z.object({ file: z.string(), line: z.number() }).nullable(),
})

/** A registered job without its code: what the schedule needs to know. Durations are in milliseconds. */
export type JobSpec = z.output<typeof jobSpecSchema>

/** Changes with the definition of jobs, so that manifests are read again. The build writes it down; see `program-version.ts`. */
export function jobSpecVersion(): string {
  const shape = JSON.stringify(z.toJSONSchema(jobSpecSchema))
  return createHash('sha256').update(shape).digest('hex').slice(0, 12)
}

/** Checks everything that a manifest registered at once. `timezone` is the default. */
export async function checkRegistrations(
  registrations: readonly Registration[],
  timezone: string,
): Promise<{ jobs: JobSpec[]; errors: ManifestError[] }> {
  const written = writtenJob(timezone)
  const jobs = new Map<string, JobSpec>()
  const errors: ManifestError[] = []
  if (registrations.length > readingLimits.registrations) {
    return { jobs: [], errors: [nowhere(`registers more than ${readingLimits.registrations} jobs`)] }
  }
  for (const [position, { fields, file, line, column }] of registrations.entries()) {
    const given = valuesOf(fields)
    // Checking a large manifest must not delay the schedule.
    if (position % 100 === 99) await new Promise(done => setImmediate(done))
    const refuse = (message: string) => errors.push({ file, line, column, message })
    const name = typeof given.id === 'string' ? `job "${given.id.slice(0, 70)}"` : 'a job'
    const parsed = written.safeParse(given)
    for (const issue of oneEach(parsed.error?.issues ?? [], given)) {
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
    const { func: _, ...spec } = parsed.data
    jobs.set(spec.id, { ...spec, source: file !== null && line !== null ? { file, line } : null })
  }
  return { jobs: [...jobs.values()], errors: errors.slice(0, readingLimits.errors) }
}

/** An option that is given as `undefined` counts as left out. */
function valuesOf(fields: Record<string, Field>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      if ('value' in field) return [[name, field.value]]
      if ('schema' in field) return [[name, new FoundSchema(field.schema)]]
      return field.kind === 'undefined' ? [] : [[name, new Foreign(field.kind)]]
    }),
  )
}

function placeOf(job: JobSpec): string {
  return job.source ? `at ${job.source.file}:${job.source.line}` : 'earlier'
}

function nowhere(message: string): ManifestError {
  return { file: 'manifest.ts', line: null, column: null, message: `the manifest ${message}` }
}
