import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import type { Logger } from '../../../src/log.ts'
import { request } from '../commands/commands.ts'
import type { InstanceSummary, PurgeCheck } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { updateInstance } from '../records/instance.ts'
import { type Instance, instances } from '../schema.ts'

/** How often the timer looks. */
export const retentionLookMs = 3_600_000
/** The most that one look may count: a clock that jumps and a machine that was off are not time that anybody had. */
const mostCountedMs = 1.5 * retentionLookMs
/** No removal is followed by the deletion sooner, unless the whole period is shorter: there is time to tell the owner. */
const leastKeptMs = 7 * 86_400_000
/** How long a check may take before it counts as an outage. */
const checkWithinMs = 60_000

export interface RetentionSettings {
  /** How long the volume of a removed instance is kept; null keeps it until it is purged. */
  keptMs: number | null
}

/**
 * When the volume of a removed instance will be deleted, as things stand; null when it will not be. Never before the
 * whole period has passed on the wall, nor before the timer has seen it pass.
 */
export function purgeAt(instance: Instance, { keptMs }: RetentionSettings, now: number): number | null {
  if (keptMs === null || instance.desired !== 'deleted' || instance.deletedAt === null) return null
  if (instance.purgedAt !== null) return null
  const period = periodOf(instance, keptMs)
  const left = period - instance.retentionServedMs - sinceSeen(instance, now)
  return Math.max(instance.deletedAt + period, now + left)
}

/** What is left of the period for this removal: what was brought back and never ran begins no new one. */
function periodOf({ retentionCarriedMs }: Instance, keptMs: number): number {
  return keptMs - Math.min(retentionCarriedMs, Math.max(0, keptMs - leastKeptMs))
}

function sinceSeen({ retentionSeenAt }: Instance, now: number): number {
  return Math.min(mostCountedMs, Math.max(0, now - (retentionSeenAt ?? now)))
}

/**
 * One round of the retention timer. Counts the time that each volume was kept, and requests a purge of those whose period
 * is over, unless a check objects. A check that fails or does not answer counts as an objection.
 */
export async function lookAtTombstones(options: {
  fleet: Fleet
  settings: RetentionSettings
  objections: readonly Objector[]
  summary(instance: Instance): InstanceSummary
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { fleet, settings, objections, summary, log, signal } = options
  const { db, clock } = fleet
  const kept = db
    .select()
    .from(instances)
    .where(
      and(
        eq(instances.desired, 'deleted'),
        isNotNull(instances.deletedAt),
        isNull(instances.purgeRequestedAt),
        isNull(instances.purgedAt),
      ),
    )
    .all()
  for (const instance of kept) {
    const now = clock.now()
    const retentionServedMs = instance.retentionServedMs + sinceSeen(instance, now)
    updateInstance(db, instance.id, { retentionServedMs, retentionSeenAt: now })
    const { deletedAt } = instance
    if (settings.keptMs === null || deletedAt === null) continue
    const period = periodOf(instance, settings.keptMs)
    if (retentionServedMs < period || now < deletedAt + period) continue
    const objection = await firstObjection(objections, summary(instance), signal)
    if (signal.aborted) return
    const current = db.select().from(instances).where(eq(instances.id, instance.id)).get()
    // The instance may have been restored, and even removed again, while the checks ran.
    if (current?.desired !== 'deleted' || current.deletedAt !== deletedAt) continue
    const { subdomain } = instance
    if (objection !== null) {
      log.warn({ subdomain, objection }, 'the retention period is over, and the volume is kept')
      updateInstance(db, instance.id, { retentionHeld: objection })
      continue
    }
    log.warn({ subdomain, deletedAt, deletedBy: instance.deletedBy }, 'the retention period is over: purging')
    request(fleet, subdomain, 'purge')
  }
}

interface Objector {
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
