import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { timestamp } from '../../../src/clock.ts'
import type { Concern } from '../../../src/kernel/concern.ts'
import { type DiskLevel, diskLevel, enforcedQuota, quotaOf } from '../../../src/storage/disk-limit.ts'
import { folderSize } from '../../../src/storage/folder-size.ts'
import type { DiskUse } from '../contract.ts'
import { diskUses, type Instance, instances } from '../schema.ts'
import { volumePath } from '../volumes/volume.ts'
import { diskLimitOf, type Fleet } from './fleet.ts'
import { findInstance, type ProvisionerDb } from './instance.ts'

/** A volume is measured this often, unless there are very many. */
const measuredEveryMs = 5 * 60_000
/** How long one round may measure: large volumes must not take the disk from instances. */
const usualRoundMs = 6000
const usualLongestMs = 60_000

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
  const limitBytes = diskLimitOf(fleet, instance)
  return {
    usedBytes: use?.bytes ?? null,
    limitBytes,
    // One that was seen with another limit says nothing.
    quotaBytes: limitBytes !== null && use?.quotaBytes === quotaOf(limitBytes).bytes ? use.quotaBytes : null,
    measuredAt: use?.measuredAt ?? null,
  }
}

/** Measures volumes, and knows which it could not measure. */
export class Measurements {
  readonly #roundMs: number
  readonly #longestMs: number
  /** When each volume was last tried, by instance, since the start. */
  readonly #triedAt = new Map<string, number>()
  readonly #failed = new Map<string, { since: number; why: string }>()

  constructor({ roundMs = usualRoundMs, longestMs = usualLongestMs } = {}) {
    this.#roundMs = roundMs
    this.#longestMs = longestMs
  }

  /**
   * Measures the volumes that were tried longest ago, one after the other, for a few seconds. A volume that cannot be measured keeps
   * its last figure, and waits for its turn like the others: it never keeps them from theirs.
   */
  async round(fleet: Fleet, signal: AbortSignal): Promise<void> {
    const { db, clock, site } = fleet
    const began = clock.monotonic()
    const known = db
      .select({
        id: instances.id,
        subdomain: instances.subdomain,
        own: instances.diskBytes,
        at: diskUses.measuredAt,
      })
      .from(instances)
      .leftJoin(diskUses, eq(diskUses.instanceId, instances.id))
      .where(and(isNull(instances.purgedAt), isNotNull(instances.readyAt)))
      .all()
      .map(each => ({ ...each, at: this.#triedAt.get(each.id) ?? each.at ?? 0 }))
    this.#forgetOthers(new Set(known.map(({ id }) => id)))
    const due = known.filter(({ at }) => Math.abs(clock.now() - at) >= measuredEveryMs)
    for (const { id, subdomain, own } of due.toSorted((one, other) => one.at - other.at)) {
      if (signal.aborted || clock.monotonic() - began > this.#roundMs) return
      await this.#measure(
        fleet,
        { id, limitBytes: own ?? fleet.diskBytes },
        volumePath(site.dataRoot, subdomain),
        signal,
      )
    }
  }

  async #measure(
    { db, clock }: Fleet,
    { id, limitBytes }: { id: string; limitBytes: number | null },
    path: string,
    signal: AbortSignal,
  ): Promise<void> {
    const now = clock.now()
    const ending = AbortSignal.timeout(this.#longestMs)
    try {
      const { bytes } = await folderSize(path, AbortSignal.any([signal, ending]))
      // Not before the disk has answered: one that hangs would keep hold of a thread.
      const quotaBytes = enforcedQuota(await statfs(path), limitBytes)?.bytes ?? null
      keep(db, { instanceId: id, bytes, quotaBytes, measuredAt: clock.now() })
      this.#failed.delete(id)
    } catch (error) {
      if (signal.aborted) return
      const why = ending.aborted
        ? `that took longer than ${Math.ceil(this.#longestMs / 1000)} seconds`
        : (error as Error).message
      // A volume that is missing is another concern.
      if (existsSync(path)) this.#failed.set(id, { since: this.#failed.get(id)?.since ?? now, why })
      else this.#failed.delete(id)
    } finally {
      this.#triedAt.set(id, now)
    }
  }

  #forgetOthers(known: ReadonlySet<string>): void {
    for (const map of [this.#triedAt, this.#failed])
      for (const id of map.keys()) if (!known.has(id)) map.delete(id)
  }

  /** The instances whose volumes could not be measured at the last try. */
  concerns({ db }: Pick<Fleet, 'db'>): Concern[] {
    return [...this.#failed].flatMap(([id, { since, why }]): Concern[] => {
      const instance = findInstance(db, id)
      if (!instance || instance.purgedAt !== null) return []
      const { subdomain } = instance
      return [
        {
          kind: 'instance-disk-unknown',
          subject: id,
          subdomain,
          summary: `It is not known how much of the disk ${subdomain} uses`,
          detail: `Its volume could not be measured since ${timestamp(since)}: ${why}. Look at the disk with “du”.`,
          urgency: 'notice',
          path: `/admin/instances/${subdomain}`,
        },
      ]
    })
  }
}

function keep(db: ProvisionerDb, row: typeof diskUses.$inferInsert): void {
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
