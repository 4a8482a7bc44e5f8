import { and, eq, inArray, isNotNull } from 'drizzle-orm'
import type { HealthObservation, WatchedInstance } from '../contract.ts'
import { type Fleet, setAnswers, setStatus } from '../records/fleet.ts'
import { getInstance, mayRun, type ProvisionerDb, updateInstance } from '../records/instance.ts'
import { recordVersion } from '../records/note.ts'
import { openOperationOf } from '../records/operation.ts'
import { instances } from '../schema.ts'
import { failuresUntilOut, type HealthWatch } from './health-watch.ts'

/** The recorded time is a hint for after a restart: not worth a disk write with every look. */
const keepEveryMs = 60_000

const watchedRows = (db: ProvisionerDb, id?: string) =>
  db
    .select({ id: instances.id, subdomain: instances.subdomain, host: instances.host, port: instances.port })
    .from(instances)
    .where(
      and(
        mayRun,
        inArray(instances.status, ['provisioning', 'running', 'unhealthy', 'failed']),
        isNotNull(instances.host),
        isNotNull(instances.port),
        id === undefined ? undefined : eq(instances.id, id),
      ),
    )
    .all()
    .flatMap(({ host, port, ...rest }): WatchedInstance[] => (host && port ? [{ ...rest, host, port }] : []))

export function watched(db: ProvisionerDb): WatchedInstance[] {
  return watchedRows(db)
}

export function watchedOne(db: ProvisionerDb, instanceId: string): WatchedInstance | null {
  return watchedRows(db, instanceId)[0] ?? null
}

/** What an operation brought is let in once it is healthy: if it never is, the operation takes it back. */
function isGated(db: ProvisionerDb, instanceId: string): boolean {
  const open = openOperationOf(db, instanceId)
  return open !== null && (open.kind === 'upgrade' || open.kind === 'rollback')
}

/**
 * Records what a health check showed: the status changes between running and unhealthy, and requests are routed while the
 * instance answers as itself, whatever its checks say and however an operation on it ended. Whether provisioning has
 * succeeded is decided by the operation that waits for it. Returns true when the container should be inspected too.
 */
export function recordHealth(
  fleet: Fleet,
  health: HealthWatch,
  instanceId: string,
  seen: HealthObservation,
): boolean {
  const versionBefore = health.versionOf(instanceId)
  const counts = health.record(instanceId, seen)
  // One transaction: requests wait for the instance, and each would wait for the disk.
  return fleet.db.transaction(() => record(fleet, instanceId, seen, { versionBefore, ...counts }))
}

function record(
  fleet: Fleet,
  instanceId: string,
  seen: HealthObservation,
  { versionBefore, failures, silences }: { versionBefore: string | null; failures: number; silences: number },
): boolean {
  const instance = getInstance(fleet.db, instanceId)
  // While it starts, the router holds requests until it is ready instead of answering that it is starting.
  const comesUp =
    !seen.healthy && instance.status === 'provisioning' && (seen.starting || isGated(fleet.db, instanceId))
  const answers = comesUp
    ? instance.answers
    : silences === 0 || (instance.answers && silences < failuresUntilOut)
  if (answers !== instance.answers) setAnswers(fleet, instanceId, answers)
  if (seen.healthy) {
    if (seen.version !== undefined && seen.version !== versionBefore)
      recordVersion(fleet.db, instanceId, seen.version)
    const kept = instance.lastHealthAt ?? 0
    // Recorded in the future: the clock was set back since.
    if (seen.at < kept || seen.at - kept >= keepEveryMs)
      updateInstance(fleet.db, instanceId, { lastHealthAt: seen.at })
    if (instance.status === 'unhealthy') setStatus(fleet, instanceId, 'running')
    return false
  }
  if (instance.status === 'running' && failures >= failuresUntilOut) {
    setStatus(fleet, instanceId, 'unhealthy', seen.reason)
  } else if (instance.status === 'unhealthy' && instance.statusReason !== seen.reason) {
    updateInstance(fleet.db, instanceId, { statusReason: seen.reason })
  }
  return !seen.answers && instance.status !== 'provisioning'
}
