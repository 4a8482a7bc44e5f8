import { and, count, eq, inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import { behind } from '../records/default-image.ts'
import type { Fleet } from '../records/fleet.ts'
import { selectInstances } from '../records/instance.ts'
import { lastOperationsOf, type OperationRecord } from '../records/operation.ts'
import { olderSettings, settingsDigest } from '../records/settings-digest.ts'
import { diskUses, type Instance, instances, type Note, notes } from '../schema.ts'
import { conditions, type Filter } from './filter.ts'
import { after, type Cursor, nameOf, type Order, orderBy, sortedBy, writeCursor } from './order.ts'

export interface WindowQuery {
  filter: Filter
  order: Order
  limit: number
  offset: number
  /** Where to begin in place of `offset`. */
  cursor: Cursor | null
}

export interface ListedInstance {
  instance: Instance
  /** Its newest operation. */
  operation: OperationRecord | null
  note: Note | null
}

export interface InstanceWindow {
  rows: ListedInstance[]
  /** How many the filter finds. */
  found: number
  /** Where the next window begins; null for the last one. */
  next: string | null
  /** Of all: how many there are, are removed and hold their names, run with older settings, and are behind. */
  total: number
  removed: number
  outdated: number
  behind: number
}

/**
 * One window of the list of instances. The order is made over ids alone, so that sorting thousands of them moves no whole records;
 * these are read for what is shown.
 */
export function listWindowOf(fleet: Fleet, query: WindowQuery): InstanceWindow {
  const { db, defaultImage } = fleet
  const { filter, order, cursor, limit } = query
  const digest = settingsDigest(fleet)
  const wanted = conditions(fleet, filter, digest)
  // One more than is shown tells whether there is a next window.
  const ids = db
    .select({ id: instances.id, subdomain: instances.subdomain, value: sortedBy(order) })
    .from(instances)
    .leftJoin(notes, eq(notes.instanceId, instances.id))
    .leftJoin(diskUses, eq(diskUses.instanceId, instances.id))
    .where(and(wanted, cursor ? after(order, cursor) : undefined))
    .orderBy(...orderBy(order))
    .limit(limit + 1)
    .offset(cursor ? 0 : query.offset)
    .all()
  const shown = ids.slice(0, limit)
  const last = shown.at(-1)
  const kept = isNull(instances.purgedAt)
  const number = (where: SQL | undefined) =>
    db
      .select({ number: count() })
      .from(instances)
      .leftJoin(notes, eq(notes.instanceId, instances.id))
      .where(where)
      .get()?.number ?? 0
  const behindIt = behind(defaultImage)
  const total = number(kept)
  return {
    rows: rowsOf(
      fleet,
      shown.map(({ id }) => id),
    ),
    found: isEverything(filter) ? total : number(wanted),
    next:
      ids.length > limit && last
        ? writeCursor({ order: nameOf(order), value: last.value, subdomain: last.subdomain })
        : null,
    total,
    removed: number(and(kept, eq(instances.status, 'deleted'))),
    outdated: number(and(kept, olderSettings(digest))),
    behind: behindIt === null ? 0 : number(behindIt),
  }
}

/** The instances that a filter finds, by name; at most `limit`. */
export function namesFound(fleet: Fleet, filter: Filter, limit: number): string[] {
  return fleet.db
    .select({ subdomain: instances.subdomain })
    .from(instances)
    .leftJoin(notes, eq(notes.instanceId, instances.id))
    .where(conditions(fleet, filter, settingsDigest(fleet)))
    .orderBy(instances.subdomain)
    .limit(limit)
    .all()
    .map(({ subdomain }) => subdomain)
}

/** The values that instances have, for choices: plans by name, the newest version first. */
export function valuesOf({ db }: Pick<Fleet, 'db'>): { plans: string[]; versions: string[] } {
  const kept = isNull(instances.purgedAt)
  const plans = db
    .selectDistinct({ plan: notes.plan })
    .from(notes)
    .innerJoin(instances, and(eq(instances.id, notes.instanceId), kept))
    .where(isNotNull(notes.plan))
    .orderBy(notes.plan)
    .limit(100)
    .all()
  const versions = db
    .selectDistinct({ version: notes.version, order: notes.versionOrder })
    .from(notes)
    .innerJoin(instances, and(eq(instances.id, notes.instanceId), kept))
    .where(isNotNull(notes.version))
    .orderBy(sql`${notes.versionOrder} desc`)
    .limit(100)
    .all()
  return {
    plans: plans.flatMap(({ plan }) => plan ?? []),
    versions: versions.flatMap(({ version }) => version ?? []),
  }
}

function isEverything(filter: Filter): boolean {
  return Object.values(filter).every(value => value === undefined || value === '' || value === false)
}

/** In the order of the ids. */
function rowsOf({ db }: Fleet, ids: readonly string[]): ListedInstance[] {
  const these = sql`(select value from json_each(${JSON.stringify(ids)}))`
  const found = selectInstances(db).where(inArray(instances.id, these)).all()
  const known = db.select().from(notes).where(inArray(notes.instanceId, these)).all()
  const operations = lastOperationsOf(
    db,
    found.flatMap(({ operationId }) => operationId ?? []),
  )
  const byId = new Map(found.map(instance => [instance.id, instance]))
  const noteOf = new Map(known.map(note => [note.instanceId, note]))
  return ids.flatMap(id => {
    const instance = byId.get(id)
    if (!instance) return []
    return [{ instance, operation: operations.get(id) ?? null, note: noteOf.get(id) ?? null }]
  })
}
