import type { Accepted } from './commands.ts'
import { notPossibleNow } from './errors.ts'
import type { Fleet } from './fleet.ts'
import { requireInstance, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'
import type { Instance } from './schema.ts'

/** What a record no longer says once the instance is not removed any more. */
export const lifted = {
  deletedAt: null,
  deletedBy: null,
  retentionServedMs: 0,
  retentionSeenAt: null,
  retentionHeld: null,
} as const satisfies Partial<Instance>

/**
 * Undoes a removal: the same volume, the same password, the same address. One that is suspended comes back stopped.
 * Throws `not-possible-now` when there is nothing to undo, or the volume is being deleted.
 */
export function restore({ db, clock }: Fleet, subdomain: string): Accepted {
  return db.transaction(() => {
    const { id: instanceId, desired, purgeRequestedAt, suspendedAt } = requireInstance(db, subdomain)
    if (desired !== 'deleted')
      throw notPossibleNow(`"${subdomain}" is not removed; there is nothing to undo.`)
    if (purgeRequestedAt !== null) throw notPossibleNow(`The data of "${subdomain}" is being deleted.`)
    updateInstance(db, instanceId, {
      ...lifted,
      desired: 'running',
      status: 'provisioning',
      statusReason: null,
    })
    const kind = suspendedAt === null ? 'provision' : 'stop'
    return { instanceId, operationId: openOperation(db, { instanceId, kind, image: null }, clock.now()) }
  })
}
