import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { searchField } from '../../../src/http/list-window.ts'
import { desiredStates, instanceStatuses } from '../contract.ts'
import { driverNames } from '../driver.ts'
import { truth } from '../pages/answer.ts'
import { behind } from '../records/default-image.ts'
import type { Fleet } from '../records/fleet.ts'
import { mayRun } from '../records/instance.ts'
import { olderSettings } from '../records/settings-digest.ts'
import { instances, notes } from '../schema.ts'

/** How an instance that should run answers; `off` is one that should not. */
export const healths = ['healthy', 'failing', 'silent', 'off'] as const

const list = (names: readonly string[]) => names.join(', ')

/** An empty field of a form counts as left out. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess(value => (value === '' ? undefined : value), schema.optional()).optional()

const statuses = z
  .string()
  .max(200)
  .transform(text => text.split(','))
  .pipe(
    z.array(
      z.enum(instanceStatuses, `must be one or more of ${list(instanceStatuses)}, with commas between`),
    ),
  )

/** What narrows the list of instances, as query parameters. All that are given apply together. */
export const filterFields = {
  search: searchField.meta({ description: 'What the name or the owner contains' }),
  status: optional(statuses).meta({
    description: `One or more of ${list(instanceStatuses)}, with commas between`,
  }),
  desired: optional(z.enum(desiredStates, `must be one of ${list(desiredStates)}`)),
  health: optional(z.enum(healths, `must be one of ${list(healths)}`)).meta({
    description:
      'Of those that should run: `healthy`; `failing`, which answers and whose checks fail; `silent`, which does not answer. `off` should not run',
  }),
  driver: optional(z.enum(driverNames, `must be one of ${list(driverNames)}`)),
  plan: optional(z.string().max(200, 'may have at most 200 characters')).meta({
    description: 'The name of the plan; `none` for those without one',
  }),
  owner: optional(z.string().max(254, 'may have at most 254 characters')).meta({
    description: 'The whole email address of the owner',
  }),
  version: optional(z.string().max(100, 'may have at most 100 characters')).meta({
    description: 'The version of the runtime',
  }),
  outdated: truth.optional().meta({ description: 'List only those that run with older settings' }),
  behind: truth.optional().meta({ description: 'List only those whose image is not the configured one' }),
  unpaid: truth
    .optional()
    .meta({ description: 'List only those that nothing pays for, though something should' }),
  backup_overdue: truth
    .optional()
    .meta({ description: 'List only those that should have a newer backup, or a proven one' }),
}

export const filterSchema = z.object(filterFields)
export type Filter = z.output<typeof filterSchema>

/** The filter as query parameters, those that are not set left out. */
export function filterQuery(filter: Filter): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of Object.keys(filterFields) as (keyof Filter)[]) {
    const value = filter[name]
    if (value === undefined || value === '' || value === false) continue
    query.set(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  return query
}

/** What the filter finds, for a query over instances with their notes. */
export function conditions(
  fleet: Pick<Fleet, 'defaultImage'>,
  filter: Filter,
  digest: string,
): SQL | undefined {
  const { search, status, desired, health, driver, plan, owner, version } = filter
  return and(
    isNull(instances.purgedAt),
    search === '' ? undefined : contains(search.toLowerCase()),
    status && inArray(instances.status, status),
    desired && eq(instances.desired, desired),
    health && answering[health],
    driver && eq(instances.driver, driver),
    plan === undefined ? undefined : plan === 'none' ? isNull(notes.plan) : eq(notes.plan, plan),
    owner === undefined ? undefined : sql`lower(${instances.ownerEmail}) = ${owner.toLowerCase()}`,
    version === undefined ? undefined : eq(notes.version, version),
    filter.outdated ? olderSettings(digest) : undefined,
    filter.behind ? (behind(fleet.defaultImage) ?? sql`false`) : undefined,
    filter.unpaid ? eq(notes.unpaid, true) : undefined,
    filter.backup_overdue ? eq(notes.copyOverdue, true) : undefined,
  )
}

const broken = inArray(instances.status, ['unhealthy', 'failed'])
const answering: Record<(typeof healths)[number], SQL | undefined> = {
  healthy: and(mayRun, eq(instances.status, 'running')),
  failing: and(mayRun, broken, eq(instances.answers, true)),
  silent: and(mayRun, broken, eq(instances.answers, false)),
  off: sql`not (${mayRun})`,
}

function contains(words: string): SQL | undefined {
  return or(
    sql`instr(${instances.subdomain}, ${words})`,
    sql`instr(lower(${instances.ownerEmail}), ${words})`,
  )
}
