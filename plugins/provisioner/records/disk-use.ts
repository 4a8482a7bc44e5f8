import { statfs } from 'node:fs/promises'
import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { type DiskLevel, diskLevel, enforcedQuota } from '../../../src/storage/disk-limit.ts'
import { folderSize } from '../../../src/storage/folder-size.ts'
import type { DiskUse } from '../contract.ts'
import { diskUses, type Instance, instances } from '../schema.ts'
import { volumePath } from '../volumes/volume.ts'
import { diskLimitOf, type Fleet } from './fleet.ts'
import type { ProvisionerDb } from './instance.ts'

/** A volume is measured this often, unless there are very many. */
const measuredEveryMs = 5 * 60_000
/** How long one round may measure: large volumes must not take the disk from instances. */
const roundMs = 6000
const longestMs = 60_000

/** What an instance's volume took when it was last measured, beside its limit. */
export function diskUseOf(fleet: Pick<Fleet, 'db' | 'diskBytes'>, instance: Instance): DiskUse {
  return diskUsesOf(fleet, [instance]).get(instance.id) ?? diskUse(fleet, instance, undefined)
}

/** The same for many instances, by their ids; in one query. */
export function diskUsesOf(
  fleet: Pick<Fleet, 'db' | 'diskBytes'>,
  some: readonly Instance[],
): ReadonlyMap<string, DiskUse> {
  const ids = sql`(select value from json_each(${JSON.stringify(some.map(({ id }) => id))}))`
  const rows = fleet.db.select().from(diskUses).where(inArray(diskUses.instanceId, ids)).all()
  const uses = new Map(rows.map(row => [row.instanceId, row]))
  return new Map(some.map(instance => [instance.id, diskUse(fleet, instance, uses.get(instance.id))]))
}

function diskUse(
  fleet: Pick<Fleet, 'diskBytes'>,
  instance: Instance,
  use: { bytes: number; measuredAt: number; quotaBytes: number | null } | undefined,
): DiskUse {
  return {
    usedBytes: use?.bytes ?? null,
    limitBytes: diskLimitOf(fleet, instance),
    quotaBytes: use?.quotaBytes ?? null,
    measuredAt: use?.measuredAt ?? null,
  }
}

/**
 * Measures the volumes whose last measurement is the oldest, one after the other, for a few seconds. A volume that cannot be
 * measured keeps its last figure, and the next one is measured all the same. Quotas of the file system are looked at each time, which
 * costs little.
 */
export async function measureVolumes(fleet: Fleet, signal: AbortSignal): Promise<void> {
  const { db, clock, site } = fleet
  await lookAtQuotas(fleet, signal)
  const began = clock.monotonic()
  const due = db
    .select({ id: instances.id, subdomain: instances.subdomain, at: diskUses.measuredAt })
    .from(instances)
    .leftJoin(diskUses, eq(diskUses.instanceId, instances.id))
    .where(and(isNull(instances.purgedAt), isNotNull(instances.readyAt)))
    .orderBy(sql`coalesce(${diskUses.measuredAt}, 0)`)
    .all()
    .filter(({ at }) => at === null || Math.abs(clock.now() - at) >= measuredEveryMs)
  for (const { id, subdomain } of due) {
    if (signal.aborted || clock.monotonic() - began > roundMs) return
    const ending = AbortSignal.any([signal, AbortSignal.timeout(longestMs)])
    const size = await folderSize(volumePath(site.dataRoot, subdomain), ending).catch(() => null)
    if (size !== null) keep(db, id, size.bytes, clock.now())
  }
}

/** Notes which volumes the file system bounds. A limit that has changed counts as watched until the quota has followed. */
async function lookAtQuotas({ db, site, diskBytes }: Fleet, signal: AbortSignal): Promise<void> {
  const measured = db
    .select({
      id: instances.id,
      subdomain: instances.subdomain,
      limitBytes: sql<number | null>`coalesce(${instances.diskBytes}, ${diskBytes})`,
      quotaBytes: diskUses.quotaBytes,
    })
    .from(instances)
    .innerJoin(diskUses, eq(diskUses.instanceId, instances.id))
    .where(isNull(instances.purgedAt))
    .all()
  for (const { id, subdomain, limitBytes, quotaBytes } of measured) {
    if (signal.aborted) return
    const seen = await statfs(volumePath(site.dataRoot, subdomain)).catch(() => null)
    const now = seen && (enforcedQuota(seen, limitBytes)?.bytes ?? null)
    if (now !== quotaBytes)
      db.update(diskUses).set({ quotaBytes: now }).where(eq(diskUses.instanceId, id)).run()
  }
}

function keep(db: ProvisionerDb, instanceId: string, bytes: number, measuredAt: number): void {
  const row = { instanceId, bytes, measuredAt }
  db.insert(diskUses).values(row).onConflictDoUpdate({ target: diskUses.instanceId, set: row }).run()
}

/** An instance that takes at least 80 % of the disk space that it may have. */
export interface CrampedInstance {
  id: string
  subdomain: string
  usedBytes: number
  limitBytes: number
  level: Exclude<DiskLevel, 'well'>
}

/** The instances that run short of disk space, by name. */
export function crampedInstances({ db, diskBytes }: Pick<Fleet, 'db' | 'diskBytes'>): CrampedInstance[] {
  return db
    .select({
      id: instances.id,
      subdomain: instances.subdomain,
      usedBytes: diskUses.bytes,
      limitBytes: sql<number | null>`coalesce(${instances.diskBytes}, ${diskBytes})`,
    })
    .from(diskUses)
    .innerJoin(instances, and(eq(instances.id, diskUses.instanceId), isNull(instances.purgedAt)))
    .orderBy(instances.subdomain)
    .all()
    .flatMap(({ limitBytes, ...use }) => {
      if (limitBytes === null) return []
      const level = diskLevel(use.usedBytes, limitBytes)
      return level === 'well' ? [] : [{ ...use, limitBytes, level }]
    })
}

/** What each volume took when it was last measured, by instance. */
export function diskUsedByAll(db: ProvisionerDb): ReadonlyMap<string, number> {
  return new Map(
    db
      .select()
      .from(diskUses)
      .all()
      .map(({ instanceId, bytes }) => [instanceId, bytes]),
  )
}

/** What all volumes take together. */
export function totalDiskUse(db: ProvisionerDb): number {
  const found = db
    .select({ bytes: sql<number | null>`sum(${diskUses.bytes})` })
    .from(diskUses)
    .innerJoin(instances, and(eq(instances.id, diskUses.instanceId), isNull(instances.purgedAt)))
    .get()
  return found?.bytes ?? 0
}
