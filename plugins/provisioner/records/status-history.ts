import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { InstanceStatus } from '../contract.ts'
import { statusChanges } from '../schema.ts'
import type { ProvisionerDb } from './instance.ts'

const day = 86_400_000
/** Changes are kept for as long as availability is shown for, and a little more. */
const keptMs = 35 * day
/** An instance that changes often, such as one that fails and is retried, keeps so many. */
const keptChanges = 1000

/** An instance was in a status from one moment to another. */
export interface StatusSpan {
  status: InstanceStatus
  reason: string | null
  from: number
  /** Null while it goes on. */
  to: number | null
}

/** Which part of the time in which it was to run an instance was healthy, from 0 to 1; null when it was not to run. */
export interface Availability {
  day: number | null
  month: number | null
}

/** Records a change. Call it in the transaction that makes it. */
export function keepStatus(
  db: Pick<ProvisionerDb, 'insert'>,
  instanceId: string,
  status: InstanceStatus,
  reason: string | null,
  at: number,
): void {
  db.insert(statusChanges).values({ instanceId, at, status, reason }).run()
}

/** The newest first. */
export function statusSpans(db: ProvisionerDb, instanceId: string, limit: number): StatusSpan[] {
  const rows = db
    .select()
    .from(statusChanges)
    .where(eq(statusChanges.instanceId, instanceId))
    .orderBy(desc(statusChanges.id))
    .limit(limit)
    .all()
  return rows.map(({ status, reason, at }, index) => ({
    status,
    reason,
    from: at,
    to: rows[index - 1]?.at ?? null,
  }))
}

/** How available an instance was in the last 24 hours and in the last 30 days, as far back as its changes are known. */
export function availabilityOf(db: ProvisionerDb, instanceId: string, now: number): Availability {
  const spans = statusSpans(db, instanceId, keptChanges)
  return { day: healthyPart(spans, now - day, now), month: healthyPart(spans, now - 30 * day, now) }
}

const down: readonly InstanceStatus[] = ['provisioning', 'unhealthy', 'failed']

function healthyPart(spans: readonly StatusSpan[], from: number, now: number): number | null {
  const total = (wanted: (status: InstanceStatus) => boolean) =>
    spans
      .filter(({ status }) => wanted(status))
      .reduce((sum, span) => sum + Math.max(0, Math.min(span.to ?? now, now) - Math.max(span.from, from)), 0)
  const up = total(status => status === 'running')
  const all = up + total(status => down.includes(status))
  return all === 0 ? null : up / all
}

/** Forgets old changes; the newest of each instance stays, whatever its age. */
export function pruneStatusChanges(db: ProvisionerDb, now: number): void {
  const ages = sql`(select id, row_number() over (partition by instance_id order by id desc) as age from ${statusChanges})`
  const beyond = sql`${statusChanges.id} in (select id from ${ages} where age > ${keptChanges})`
  // The last one before that moment says how the instance was at it.
  const old = sql`${statusChanges.id} in (select id from (select id, lead(at) over (partition by instance_id order by id) as until from ${statusChanges}) where until < ${now - keptMs})`
  db.transaction(tx => {
    tx.delete(statusChanges).where(beyond).run()
    tx.delete(statusChanges)
      .where(and(lt(statusChanges.at, now - keptMs), old))
      .run()
  })
}
