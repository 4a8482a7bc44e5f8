import { notPossibleNow } from '../problems.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance, updateInstance, wanted } from '../records/instance.ts'
import { type Accepted, openOperation } from '../records/operation.ts'
import type { Instance } from '../schema.ts'

/** What a record no longer says once the instance is not removed any more. */
export const lifted = {
  deletedAt: null,
  deletedBy: null,
  desiredBefore: null,
  retentionServedMs: 0,
  retentionSeenAt: null,
  retentionHeld: null,
} as const satisfies Partial<Instance>

/**
 * Undoes a removal: the same volume, the same password, the same address, and the same wish: what had been stopped comes
 * back stopped. So does one that is suspended, and what its volume was kept goes on to count if it is removed again
 * before it may run. Throws `not-possible-now` when there is nothing to undo, or the volume is being deleted.
 */
export function restore({ db, clock }: Fleet, subdomain: string): Accepted {
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    const { id: instanceId, desired, purgeRequestedAt, suspendedAt } = instance
    if (desired !== 'deleted')
      throw notPossibleNow(`"${subdomain}" is not removed; there is nothing to undo.`)
    if (purgeRequestedAt !== null) throw notPossibleNow(`The data of "${subdomain}" is being deleted.`)
    const back = { desired: instance.desiredBefore ?? 'running', suspendedAt } as const
    const runs = wanted(back) === 'running'
    updateInstance(db, instanceId, {
      ...lifted,
      retentionCarriedMs: suspendedAt === null ? 0 : instance.retentionCarriedMs + instance.retentionServedMs,
      desired: back.desired,
      status: runs ? 'provisioning' : 'stopping',
      statusReason: null,
    })
    const kind = runs ? 'provision' : 'stop'
    return { instanceId, operationId: openOperation(db, { instanceId, kind, image: null }, clock.now()) }
  })
}
