import { z } from 'zod'
import { principalKinds } from '../../src/acting.ts'
import { timestamp } from '../../src/clock.ts'
import { onTheWire } from '../../src/http/json-schema.ts'
import { durationMs } from '../../src/kernel/config.ts'
import { fleetUpgradeStates, type MemberStatus, memberStatuses } from './contract.ts'
import { countMembers, startedBy, type UpgradesDb } from './records.ts'
import type { FleetUpgrade, Member } from './schema.ts'
import type { Wave } from './waves.ts'

const time = z.iso.datetime().nullable()

function whole(least: number, most: number, standard: number) {
  const words = `must be a whole number from ${least} to ${most}`
  const read = (value: unknown) =>
    value === '' ? standard : typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  return onTheWire(z.preprocess(read, z.int(words).min(least, words).max(most, words)).default(standard), {
    ...{ type: 'integer', minimum: least, maximum: most, default: standard },
  })
}

/** The names in a field of a form, or a list of them as JSON. */
const names = z
  .preprocess(
    value => (typeof value === 'string' ? value.split(/[\s,]+/).filter(name => name !== '') : value),
    z.array(z.string().max(63, 'must be names of instances'), 'must be a list of names').max(100),
  )
  .default([])

const standardSoak = '5m'

/** What can be said about a fleet upgrade before it is started. */
export const orderFields = {
  image: onTheWire(
    z
      .string()
      .trim()
      .max(255, 'may have at most 255 characters')
      .regex(
        /^([a-z0-9]+([._/:@-]+[A-Za-z0-9_]+)*)?$/,
        'must be an image reference such as longhouse-runtime:1.2.0',
      )
      .optional(),
    { type: 'string', description: 'The image; the configured one when left out' },
  ),
  first: onTheWire(names, {
    type: 'array',
    items: { type: 'string' },
    description: 'The instances that go first, by subdomain; one that runs when left out',
  }),
  parallel: whole(1, 50, 2),
  halt_after: whole(1, 10_000, 1),
  soak: z
    .string()
    .trim()
    .transform(text => (text === '' ? standardSoak : text))
    .refine(text => {
      const ms = durationMs(text)
      return ms >= 0 && ms <= 86_400_000
    }, 'must be a duration from 0s to 24h, such as 10m')
    .default(standardSoak)
    .meta({ description: 'How long to wait between two waves, such as 10m' }),
}

const countsShape = Object.fromEntries(memberStatuses.map(status => [status, z.int()])) as Record<
  MemberStatus,
  z.ZodInt
>

const summaryShape = {
  id: z.string(),
  state: z.enum(fleetUpgradeStates),
  reason: z.string().nullable().meta({ description: 'Why it halted, or what it could not do' }),
  image: z.string(),
  image_id: z.string().meta({ description: 'What the image’s name meant when it was started' }),
  parallel: z.int(),
  halt_after: z.int(),
  soak_ms: z.int().meta({ description: '`soak` of the request, in milliseconds' }),
  soaked_ms: z.int().meta({ description: 'How much of the wait before the next wave has passed' }),
  wave: z.int().meta({ description: 'The wave that it is at, from 1' }),
  waves: z.array(z.object({ wave: z.int(), total: z.int(), by_status: z.object(countsShape) })),
  actor: z.object({ kind: z.enum(principalKinds), id: z.string(), name: z.string() }),
  created_at: z.iso.datetime(),
  finished_at: time,
}

export const upgradeSummarySchema = z.object(summaryShape).meta({ id: 'FleetUpgradeSummary' })
export const upgradeSchema = z
  .object({
    ...summaryShape,
    instances: z.array(
      z.object({
        instance_id: z.string(),
        subdomain: z.string(),
        wave: z.int(),
        status: z.enum(memberStatuses),
        reason: z.string().nullable(),
        operation_id: z.string().nullable(),
        undo_operation_id: z.string().nullable(),
        started_at: time,
        finished_at: time,
      }),
    ),
  })
  .meta({ id: 'FleetUpgrade' })

export type WireSummary = z.infer<typeof upgradeSummarySchema>
export type WireUpgrade = z.infer<typeof upgradeSchema>

/** In the same order, with one statement for the counts of all. */
export function wireSummaries(db: UpgradesDb, upgrades: readonly FleetUpgrade[]): WireSummary[] {
  const counts = Map.groupBy(
    countMembers(
      db,
      upgrades.map(({ id }) => id),
    ),
    ({ upgradeId }) => upgradeId,
  )
  return upgrades.map(upgrade => summaryOf(upgrade, counts.get(upgrade.id) ?? []))
}

export function wireSummary(db: UpgradesDb, upgrade: FleetUpgrade): WireSummary {
  return summaryOf(upgrade, countMembers(db, [upgrade.id]))
}

function summaryOf(upgrade: FleetUpgrade, counted: ReturnType<typeof countMembers>): WireSummary {
  const waves = new Map<number, WireSummary['waves'][number]>()
  for (const { wave, status, n } of counted) {
    const counts = Object.fromEntries(memberStatuses.map(each => [each, 0])) as Record<MemberStatus, number>
    const row = waves.get(wave) ?? { wave, total: 0, by_status: counts }
    row.total += n
    row.by_status[status] = n
    waves.set(wave, row)
  }
  return {
    id: upgrade.id,
    state: upgrade.state,
    reason: upgrade.reason,
    image: upgrade.image,
    image_id: upgrade.imageId,
    parallel: upgrade.parallel,
    halt_after: upgrade.haltAfter,
    soak_ms: upgrade.soakMs,
    soaked_ms: Math.round(upgrade.soakedMs),
    wave: upgrade.wave,
    waves: [...waves.values()],
    actor: startedBy(upgrade),
    created_at: timestamp(upgrade.createdAt),
    finished_at: timestamp(upgrade.finishedAt),
  }
}

export function wireUpgrade(db: UpgradesDb, upgrade: FleetUpgrade, of: readonly Member[]): WireUpgrade {
  return {
    ...wireSummary(db, upgrade),
    instances: of.map(member => ({
      instance_id: member.instanceId,
      subdomain: member.subdomain,
      wave: member.wave,
      status: member.status,
      reason: member.reason,
      operation_id: member.operationId,
      undo_operation_id: member.undoOperationId,
      started_at: timestamp(member.startedAt),
      finished_at: timestamp(member.finishedAt),
    })),
  }
}

export const previewSchema = z.object({
  image: z.string(),
  image_id: z.string(),
  total: z.int(),
  about_ms: z.int().meta({ description: 'About how long it takes, with the waits between the waves' }),
  measured: z.boolean().meta({ description: 'Whether that is based on earlier upgrades' }),
  waves: z.array(
    z.object({
      wave: z.int(),
      instances: z.array(
        z.object({
          subdomain: z.string(),
          left_out: z
            .string()
            .nullable()
            .meta({ description: 'Why it would be left out if it stayed as it is' }),
        }),
      ),
    }),
  ),
})

export function wireWaves(
  waves: readonly Wave[],
  leftOut: (each: Wave['instances'][number]) => string | null,
): z.infer<typeof previewSchema>['waves'] {
  return waves.map(({ instances }, index) => ({
    wave: index + 1,
    instances: instances.map(each => ({ subdomain: each.subdomain, left_out: leftOut(each) })),
  }))
}
