import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import type { Newest } from './copies.ts'

/** All instances, and the newest copies of each, as they were at one moment. */
export interface Seen {
  instances: readonly InstanceSummary[]
  newest: ReadonlyMap<string, Newest>
}

/** A new instance gets its first copy after this long: most of what could be lost is still to come. */
const firstMs = 3_600_000
/** After a failure. */
const retryMs = 3_600_000

/** Whether an instance is to be copied now. `everyMs` 0 copies none by itself. */
export function isDue(
  { readyAt, deletedAt }: Pick<InstanceSummary, 'readyAt' | 'deletedAt'>,
  newest: Newest | undefined,
  everyMs: number,
  now: number,
): boolean {
  if (everyMs === 0 || readyAt === null) return false
  const { keptAt = null, triedAt = null, error = null } = newest ?? {}
  if (error !== null && triedAt !== null && now - triedAt < Math.min(retryMs, everyMs)) return false
  // The volume of a removed instance stays as it is.
  if (deletedAt !== null && keptAt !== null && keptAt > deletedAt) return false
  return keptAt === null ? now - readyAt >= Math.min(firstMs, everyMs) : now - keptAt >= everyMs
}

/** Why the copies of an instance need attention, in words; null when they do not. */
function overdueWords(
  instance: Pick<InstanceSummary, 'readyAt' | 'deletedAt'>,
  newest: Newest | undefined,
  { everyMs, proveEveryMs }: { everyMs: number; proveEveryMs: number },
  now: number,
): string | null {
  if (everyMs === 0 || instance.readyAt === null) return null
  const { keptAt = null, provenCopyAt = null, error = null } = newest ?? {}
  if (instance.deletedAt !== null && keptAt !== null && keptAt > instance.deletedAt) return null
  const late = 2 * everyMs + firstMs
  if (now - (keptAt ?? instance.readyAt) > late)
    return error === null ? 'it has no recent backup' : `it has no recent backup: ${error}`
  if (
    proveEveryMs > 0 &&
    keptAt !== null &&
    now - (provenCopyAt ?? instance.readyAt) > late + 2 * proveEveryMs
  )
    return 'none of its recent backups was proven to work'
  return null
}

/** The instances whose copies need attention, each with why. */
export function overdueOf(
  { instances, newest }: Seen,
  settings: { everyMs: number; proveEveryMs: number },
  now: number,
): { instanceId: string; subdomain: string; why: string }[] {
  return instances.flatMap(instance => {
    const why = overdueWords(instance, newest.get(instance.id), settings, now)
    return why === null ? [] : [{ instanceId: instance.id, subdomain: instance.subdomain, why }]
  })
}

/**
 * The instances whose newest copy failed or does not work, each with why. It is early: their other copies may be recent enough.
 */
export function failedOf({
  instances,
  newest,
}: Seen): { instanceId: string; subdomain: string; why: string }[] {
  return instances.flatMap(({ id, subdomain }) => {
    const { error = null, fault = null } = newest.get(id) ?? {}
    if (error !== null) return [{ instanceId: id, subdomain, why: `could not be made: ${error}` }]
    return fault === null ? [] : [{ instanceId: id, subdomain, why: `does not work: ${fault}` }]
  })
}

/** Tells the operator's list when each instance was last copied, and which of them should have a newer or a proven copy. */
export function noteCopies(
  provisioner: Pick<ProvisionerService, 'note'>,
  { instances, newest }: Seen,
  overdue: ReadonlySet<string>,
): void {
  provisioner.note(
    instances.map(({ id }) => ({
      instanceId: id,
      copiedAt: newest.get(id)?.keptAt ?? null,
      copyOverdue: overdue.has(id),
    })),
  )
}
