import { count, desc, eq, isNull, sql } from 'drizzle-orm'
import type { FleetSummary, InstanceStatus } from '../contract.ts'
import type { Capacity } from '../driver.ts'
import { instances, operations } from '../schema.ts'
import { mayRun, type ProvisionerDb } from './instance.ts'
import { actorOf } from './operation.ts'

/** Counts, limits and the newest operations, in four queries. `memoryBytes` is what an instance may take by default. */
export function fleetSummary(
  db: ProvisionerDb,
  {
    capacity,
    addresses,
    memoryBytes,
    recent,
  }: {
    capacity: Capacity | null
    addresses: FleetSummary['addresses']
    memoryBytes: number
    recent: number
  },
): FleetSummary {
  const { status } = instances
  const rows = db
    .select({ status, n: count() })
    .from(instances)
    .where(isNull(instances.purgedAt))
    .groupBy(status)
    .all()
  const promised = db
    .select({ bytes: sql<number | null>`sum(coalesce(${instances.memoryBytes}, ${memoryBytes}))` })
    .from(instances)
    .where(mayRun)
    .get()
  return {
    byStatus: Object.fromEntries(rows.map(row => [row.status, row.n])) as Partial<
      Record<InstanceStatus, number>
    >,
    memory: { promisedBytes: promised?.bytes ?? 0, totalBytes: capacity?.memoryBytes ?? null },
    addresses,
    operations: db
      .select({
        id: operations.id,
        subdomain: instances.subdomain,
        kind: operations.kind,
        status: operations.status,
        error: operations.error,
        actorKind: operations.actorKind,
        actorId: operations.actorId,
        actorName: operations.actorName,
        createdAt: operations.createdAt,
        finishedAt: operations.finishedAt,
      })
      .from(operations)
      .innerJoin(instances, eq(instances.id, operations.instanceId))
      .orderBy(desc(operations.id))
      .limit(recent)
      .all()
      .map(({ actorKind, actorId, actorName, ...each }) => ({
        ...each,
        actor: actorOf({ actorKind, actorId, actorName }),
      })),
  }
}
