import { and, isNotNull, isNull } from 'drizzle-orm'
import type { Logger } from '../../../src/log.ts'
import { request } from '../commands/commands.ts'
import type { InstanceSummary, PurgeCheck } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, type SeenInstance, selectInstances } from '../records/instance.ts'
import { updateRemoval } from '../records/removal.ts'
import { instances, type Removal, removals } from '../schema.ts'
import { volumePath } from '../volumes/volume.ts'
import { oneByOne } from './one-by-one.ts'

/** How often the timer looks. */
export const retentionLookMs = 3_600_000
/** The most that one look may count: a clock that jumped, or a machine that was off, gave the owner no time to act. */
const mostCountedMs = 1.5 * retentionLookMs
/** At least so long after a removal, unless the whole period is shorter, so that the owner can be warned. */
const leastKeptMs = 7 * 86_400_000
/** How long a check may take before it counts as an outage. */
const checkWithinMs = 60_000

export interface RetentionSettings {
  /** How long the volume of a removed instance is kept; null keeps it until it is purged. */
  keptMs: number | null
}

/**
 * Returns when the volume of a removed instance will be deleted; null when it will not be. Never before the whole period has
 * passed on the wall clock, nor before the timer has seen it pass.
 */
export function purgeAt(
  { removal, purgedAt }: Pick<SeenInstance, 'removal' | 'purgedAt'>,
  { keptMs }: RetentionSettings,
  now: number,
): number | null {
  if (keptMs === null || !removal || removal.deletedAt === null || purgedAt !== null) return null
  const period = periodOf(removal, keptMs)
  const left = period - removal.servedMs - sinceSeen(removal, now)
  return Math.max(removal.deletedAt + period, now + left)
}

/** An instance as other plugins see it. */
export function summaryOf(
  instance: SeenInstance,
  dataRoot: string,
  settings: RetentionSettings,
  now: number,
): InstanceSummary {
  const { removal, suspension } = instance
  return {
    id: instance.id,
    subdomain: instance.subdomain,
    ownerEmail: instance.ownerEmail,
    accountId: instance.accountId,
    desired: instance.desired,
    status: instance.status,
    volume: volumePath(dataRoot, instance.subdomain),
    image: instance.image,
    readyAt: instance.readyAt,
    createdAt: instance.createdAt,
    billed: instance.billed,
    deletedAt: removal?.deletedAt ?? null,
    deletedBy: removal?.by ?? null,
    purgeAt: purgeAt(instance, settings, now),
    suspendedAt: suspension?.since ?? null,
    suspension: suspension?.reason ?? null,
  }
}

/** The period that is left for this removal: one that was undone while suspended counts towards it. */
function periodOf({ carriedMs }: Pick<Removal, 'carriedMs'>, keptMs: number): number {
  return keptMs - Math.min(carriedMs, Math.max(0, keptMs - leastKeptMs))
}

function sinceSeen({ seenAt }: Pick<Removal, 'seenAt'>, now: number): number {
  return Math.min(mostCountedMs, Math.max(0, now - (seenAt ?? now)))
}

/**
 * One round of the retention timer. Counts the time that each volume was kept, and requests a purge of those whose period
 * is over, unless a check objects. A check that fails or does not answer counts as an objection. An instance whose purge cannot be
 * requested holds up no other; the round throws at its end.
 */
export async function runRetention(options: {
  fleet: Fleet
  settings: RetentionSettings
  objections: readonly Objector[]
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { fleet, settings, objections, log, signal } = options
  const { db, clock, site } = fleet
  const kept = selectInstances(db)
    .where(and(isNotNull(removals.deletedAt), isNull(removals.purgeRequestedAt), isNull(instances.purgedAt)))
    .all()
  await oneByOne(kept, async instance => {
    if (signal.aborted) return
    const { id, subdomain, removal } = instance
    if (!removal) return
    const now = clock.now()
    const looked = { servedMs: removal.servedMs + sinceSeen(removal, now), seenAt: now }
    updateRemoval(db, id, looked)
    const over = purgeAt({ ...instance, removal: { ...removal, ...looked } }, settings, now)
    if (over === null || now < over) return
    const summary = summaryOf(instance, site.dataRoot, settings, now)
    const objection = await firstObjection(objections, summary, signal)
    if (signal.aborted) return
    const { deletedAt, by } = removal
    // The instance may have been restored, and even removed again, while the checks ran.
    if (getInstance(db, id).removal?.deletedAt !== deletedAt) return
    if (objection !== null) {
      log.warn({ subdomain, objection }, 'the retention period is over, and the volume is kept')
      updateRemoval(db, id, { objection })
      return
    }
    log.warn({ subdomain, deletedAt, deletedBy: by }, 'the retention period is over: purging')
    request(fleet, subdomain, 'purge')
  })
}

/** A plugin with what it answers to `purge-objection`. */
export interface Objector {
  plugin: string
  answer: PurgeCheck
}

async function firstObjection(
  objections: readonly Objector[],
  instance: InstanceSummary,
  stopping: AbortSignal,
): Promise<string | null> {
  for (const { plugin, answer: check } of objections) {
    try {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(checkWithinMs)])
      const objection = await check(instance, signal)
      if (objection !== null) return objection
    } catch (error) {
      return `${plugin} could not be asked: ${(error as Error).message}`
    }
  }
  return null
}
