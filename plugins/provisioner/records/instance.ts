import {
  and,
  asc,
  eq,
  getTableColumns,
  inArray,
  isNotNull,
  isNull,
  ne,
  not,
  or,
  type SQL,
  sql,
} from 'drizzle-orm'
import type { Db } from '../../../src/storage/database.ts'
import type { Desired } from '../contract.ts'
import { unknownInstance } from '../problems.ts'
import type * as schema from '../schema.ts'
import {
  type Instance,
  type InstanceRow,
  instances,
  type Removal,
  removals,
  type Suspension,
  suspensions,
} from '../schema.ts'

export type ProvisionerDb = Db<typeof schema>

/**
 * Returns the state that an instance should have now: its desired state, but `stopped` while it is suspended. A suspension
 * does not change the desired state, so that an instance the operator stopped stays stopped when it is lifted.
 */
export function wanted({ desired, suspension }: Pick<Instance, 'desired' | 'suspension'>): Desired {
  return desired === 'running' && suspension !== null ? 'stopped' : desired
}

/** The same for a query: what is not suspended and is to run. */
export const mayRun: SQL | undefined = and(
  eq(instances.desired, 'running'),
  sql`not exists (select 1 from ${suspensions} where ${suspensions.instanceId} = ${instances.id})`,
)

/** Whole instances, each with its removal and its suspension. */
export function selectInstances(db: ProvisionerDb) {
  return db
    .select({ ...getTableColumns(instances), removal: removals, suspension: suspensions })
    .from(instances)
    .leftJoin(removals, eq(removals.instanceId, instances.id))
    .leftJoin(suspensions, eq(suspensions.instanceId, instances.id))
}

/** What other plugins see of an instance is made from this: a quarter of its columns, in a quarter of the time. */
export type SeenInstance = Pick<
  Instance,
  | 'id'
  | 'subdomain'
  | 'ownerEmail'
  | 'accountId'
  | 'desired'
  | 'status'
  | 'image'
  | 'readyAt'
  | 'createdAt'
  | 'billed'
  | 'purgedAt'
> & {
  removal: Pick<Removal, 'deletedAt' | 'by' | 'carriedMs' | 'servedMs' | 'seenAt'> | null
  suspension: Pick<Suspension, 'since' | 'reason'> | null
}

/** The same instances as `listInstances`, in that order. */
export function listSeen(db: ProvisionerDb): SeenInstance[] {
  const { deletedAt, by, carriedMs, servedMs, seenAt } = removals
  const { since, reason } = suspensions
  return db
    .select({
      id: instances.id,
      subdomain: instances.subdomain,
      ownerEmail: instances.ownerEmail,
      accountId: instances.accountId,
      desired: instances.desired,
      status: instances.status,
      image: instances.image,
      readyAt: instances.readyAt,
      createdAt: instances.createdAt,
      billed: instances.billed,
      purgedAt: instances.purgedAt,
      removal: { deletedAt, by, carriedMs, servedMs, seenAt },
      suspension: { since, reason },
    })
    .from(instances)
    .leftJoin(removals, eq(removals.instanceId, instances.id))
    .leftJoin(suspensions, eq(suspensions.instanceId, instances.id))
    .where(isNull(instances.purgedAt))
    .orderBy(asc(instances.subdomain))
    .all()
}

/** Every instance whose volume may still exist, by name. */
export function listInstances(db: ProvisionerDb): Instance[] {
  return selectInstances(db).where(isNull(instances.purgedAt)).orderBy(asc(instances.subdomain)).all()
}

/**
 * Returns the ids of the instances that differ from their desired state, and of those that run as they should but that `seen`
 * does not know, in the order of their names. With everything as desired that is none, however many instances there are.
 */
export function unreconciledIds(db: ProvisionerDb, seen: (id: string) => boolean): string[] {
  const reconciled = or(
    and(mayRun, eq(instances.status, 'running')),
    and(eq(instances.desired, 'deleted'), eq(instances.status, 'deleted'), isNull(removals.purgeRequestedAt)),
    and(
      ne(instances.desired, 'deleted'),
      or(eq(instances.desired, 'stopped'), isNotNull(suspensions.instanceId)),
      eq(instances.status, 'stopped'),
    ),
  )
  const unseen = db
    .select({ id: instances.id })
    .from(instances)
    .where(and(isNull(instances.purgedAt), mayRun, eq(instances.status, 'running')))
    .all()
    .flatMap(({ id }) => (seen(id) ? [] : [id]))
  return db
    .select({ id: instances.id })
    .from(instances)
    .leftJoin(removals, eq(removals.instanceId, instances.id))
    .leftJoin(suspensions, eq(suspensions.instanceId, instances.id))
    .where(
      and(
        isNull(instances.purgedAt),
        or(not(reconciled ?? sql`false`), inArray(instances.id, listed(unseen))),
      ),
    )
    .orderBy(asc(instances.subdomain))
    .all()
    .map(({ id }) => id)
}

/** Those of these instances whose volume may still exist, by name. */
export function instancesOf(db: ProvisionerDb, ids: readonly string[]): Instance[] {
  return selectInstances(db)
    .where(and(isNull(instances.purgedAt), inArray(instances.id, listed(ids))))
    .orderBy(asc(instances.subdomain))
    .all()
}

/** As one parameter, however many they are. */
function listed(ids: readonly string[]): SQL {
  return sql`(select value from json_each(${JSON.stringify(ids)}))`
}

/** The instances of one account, by name; null for those in no account. */
export function listInstancesOf(db: ProvisionerDb, accountId: string | null): Instance[] {
  const whose = accountId === null ? isNull(instances.accountId) : eq(instances.accountId, accountId)
  return selectInstances(db)
    .where(and(whose, isNull(instances.purgedAt)))
    .orderBy(asc(instances.subdomain))
    .all()
}

/** The instance that has a subdomain, or keeps it in retention; null when the name is free. */
export function findBySubdomain(db: ProvisionerDb, subdomain: string): Instance | null {
  return (
    selectInstances(db)
      .where(and(eq(instances.subdomain, subdomain), isNull(instances.purgedAt)))
      .get() ?? null
  )
}

/** Like `findBySubdomain`, but throws `unknown-instance` (404) when no instance has the name. */
export function requireInstance(db: ProvisionerDb, subdomain: string): Instance {
  const instance = findBySubdomain(db, subdomain)
  if (!instance) throw unknownInstance(`No instance is called "${subdomain}".`)
  return instance
}

/** Null for an id that never was an instance's. A purged instance has its record still. */
export function findInstance(db: ProvisionerDb, id: string): Instance | null {
  return selectInstances(db).where(eq(instances.id, id)).get() ?? null
}

/** The names of those of these instances whose volume may still exist, sorted. */
export function subdomainsOf(db: ProvisionerDb, ids: readonly string[]): string[] {
  return db
    .select({ subdomain: instances.subdomain })
    .from(instances)
    .where(and(inArray(instances.id, listed(ids)), isNull(instances.purgedAt)))
    .orderBy(asc(instances.subdomain))
    .all()
    .map(({ subdomain }) => subdomain)
}

export function getInstance(db: ProvisionerDb, id: string): Instance {
  const instance = findInstance(db, id)
  if (!instance) throw new Error(`instance ${id} has no record`)
  return instance
}

export function updateInstance(db: ProvisionerDb, id: string, change: Partial<InstanceRow>): void {
  db.update(instances).set(change).where(eq(instances.id, id)).run()
}
