import { and, asc, count, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Principal } from '../../src/acting.ts'
import type { Db } from '../../src/storage/database.ts'
import type { MemberStatus } from './contract.ts'
import { unknownUpgrade } from './problems.ts'
import type * as schema from './schema.ts'
import { type FleetUpgrade, fleetUpgrades, type Member, members } from './schema.ts'

export type UpgradesDb = Db<typeof schema>

/** The fleet upgrade that is not over; null without one. */
export function openUpgrade(db: UpgradesDb): FleetUpgrade | null {
  return db.select().from(fleetUpgrades).where(eq(fleetUpgrades.open, 1)).get() ?? null
}

/** Throws `unknown-fleet-upgrade`. */
export function requireUpgrade(db: UpgradesDb, id: string): FleetUpgrade {
  const found = db.select().from(fleetUpgrades).where(eq(fleetUpgrades.id, id)).get()
  if (!found) throw unknownUpgrade(`No fleet upgrade has the id "${id}".`)
  return found
}

/** All whose records are kept, newest first: see `pruneUpgrades`. */
export function listUpgrades(db: UpgradesDb): FleetUpgrade[] {
  return newestFirst(db).all()
}

/** Null before the first. */
export function newestUpgrade(db: UpgradesDb): FleetUpgrade | null {
  return newestFirst(db).limit(1).get() ?? null
}

function newestFirst(db: UpgradesDb) {
  return db.select().from(fleetUpgrades).orderBy(desc(fleetUpgrades.createdAt), desc(fleetUpgrades.id))
}

export function updateUpgrade(db: UpgradesDb, id: string, change: Partial<FleetUpgrade>): void {
  db.update(fleetUpgrades).set(change).where(eq(fleetUpgrades.id, id)).run()
}

/** In the order in which they are upgraded; those with one of these statuses, or all. */
export function membersOf(db: UpgradesDb, upgradeId: string, statuses?: readonly MemberStatus[]): Member[] {
  return db
    .select()
    .from(members)
    .where(and(eq(members.upgradeId, upgradeId), statuses && inArray(members.status, [...statuses])))
    .orderBy(asc(members.position))
    .all()
}

export function updateMember(
  db: UpgradesDb,
  { upgradeId, instanceId }: Pick<Member, 'upgradeId' | 'instanceId'>,
  change: Partial<Member>,
): void {
  db.update(members)
    .set(change)
    .where(and(eq(members.upgradeId, upgradeId), eq(members.instanceId, instanceId)))
    .run()
}

/** Skips every instance that nothing was begun with. */
export function skipWaiting(db: UpgradesDb, upgradeId: string, reason: string, now: number): void {
  db.update(members)
    .set({ status: 'skipped', reason, finishedAt: now })
    .where(and(eq(members.upgradeId, upgradeId), eq(members.status, 'waiting')))
    .run()
}

/** How many instances of each wave of these fleet upgrades have each status. */
export function countMembers(
  db: UpgradesDb,
  upgradeIds: readonly string[],
): { upgradeId: string; wave: number; status: MemberStatus; n: number }[] {
  const { upgradeId, wave, status } = members
  const these = sql`(select value from json_each(${JSON.stringify(upgradeIds)}))`
  return db
    .select({ upgradeId, wave, status, n: count() })
    .from(members)
    .where(inArray(upgradeId, these))
    .groupBy(upgradeId, wave, status)
    .orderBy(asc(wave))
    .all()
}

/** Forgets all but the newest `keep`; never the open one. */
export function pruneUpgrades(db: UpgradesDb, keep: number): void {
  const old = sql`(select id from ${fleetUpgrades} where open is null order by created_at desc, id desc limit -1 offset ${keep})`
  db.transaction(tx => {
    tx.delete(members).where(inArray(members.upgradeId, old)).run()
    tx.delete(fleetUpgrades).where(inArray(fleetUpgrades.id, old)).run()
  })
}

export function startedBy({ actorKind, actorId, actorName }: FleetUpgrade): Principal {
  return { kind: actorKind, id: actorId, name: actorName }
}

/** Who had it undone; who started it while no one has. */
export function undoneBy(upgrade: FleetUpgrade): Principal {
  const { undoActorKind: kind, undoActorId, undoActorName } = upgrade
  if (kind === null) return startedBy(upgrade)
  return { kind, id: undoActorId ?? '', name: undoActorName ?? '' }
}
