import { and, asc, eq, inArray, isNotNull, isNull, ne, not, or, sql } from 'drizzle-orm'
import type { Db } from '../../../src/storage/database.ts'
import type { Desired } from '../contract.ts'
import { unknownInstance } from '../problems.ts'
import type * as schema from '../schema.ts'
import { type Instance, instances } from '../schema.ts'

export type ProvisionerDb = Db<typeof schema>

/**
 * Returns the state that an instance should have now: its desired state, but `stopped` while it is suspended. A suspension
 * does not change the desired state, so that an instance the operator stopped stays stopped when it is lifted.
 */
export function wanted({ desired, suspendedAt }: Pick<Instance, 'desired' | 'suspendedAt'>): Desired {
  return desired === 'running' && suspendedAt !== null ? 'stopped' : desired
}

/** Every instance whose volume may still exist, by name. */
export function listInstances(db: ProvisionerDb): Instance[] {
  return db.select().from(instances).where(isNull(instances.purgedAt)).orderBy(asc(instances.subdomain)).all()
}

/**
 * Those that are not what they should be, and those that should run and do of which `seen` is false. Once all is well that
 * is none, however many there are.
 */
export function listUnsettled(db: ProvisionerDb, seen: (id: string) => boolean): Instance[] {
  const runs = and(eq(instances.desired, 'running'), isNull(instances.suspendedAt))
  const settled = or(
    and(runs, eq(instances.status, 'running')),
    and(
      eq(instances.desired, 'deleted'),
      eq(instances.status, 'deleted'),
      isNull(instances.purgeRequestedAt),
    ),
    and(
      ne(instances.desired, 'deleted'),
      or(eq(instances.desired, 'stopped'), isNotNull(instances.suspendedAt)),
      eq(instances.status, 'stopped'),
    ),
  )
  const unseen = db
    .select({ id: instances.id })
    .from(instances)
    .where(and(isNull(instances.purgedAt), runs, eq(instances.status, 'running')))
    .all()
    .flatMap(({ id }) => (seen(id) ? [] : [id]))
  const ids = sql`(select value from json_each(${JSON.stringify(unseen)}))`
  return db
    .select()
    .from(instances)
    .where(and(isNull(instances.purgedAt), or(not(settled ?? sql`false`), inArray(instances.id, ids))))
    .orderBy(asc(instances.subdomain))
    .all()
}

/** Those of one account, by name; with null, those of none. */
export function listInstancesOf(db: ProvisionerDb, accountId: string | null): Instance[] {
  const whose = accountId === null ? isNull(instances.accountId) : eq(instances.accountId, accountId)
  return db
    .select()
    .from(instances)
    .where(and(whose, isNull(instances.purgedAt)))
    .orderBy(asc(instances.subdomain))
    .all()
}

/** The instance that has or holds a subdomain; null when the name is free. */
export function findBySubdomain(db: ProvisionerDb, subdomain: string): Instance | null {
  return (
    db
      .select()
      .from(instances)
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

export function getInstance(db: ProvisionerDb, id: string): Instance {
  const instance = db.select().from(instances).where(eq(instances.id, id)).get()
  if (!instance) throw new Error(`instance ${id} has no record`)
  return instance
}

export function updateInstance(db: ProvisionerDb, id: string, change: Partial<Instance>): void {
  db.update(instances).set(change).where(eq(instances.id, id)).run()
}
