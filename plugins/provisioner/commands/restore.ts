import { notPossibleNow } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance, updateInstance, wanted } from '../records/instance.ts'
import { type Accepted, openOperation } from '../records/operation.ts'
import { endRemoval } from '../records/removal.ts'

/**
 * Undoes a removal: same volume, same password, same address, and the desired state of before. A suspended instance comes back
 * stopped, and the time that its volume was kept still counts if it is removed again before it may run. Throws
 * `not-possible-now` when there is nothing to undo, or the volume is being deleted.
 */
export function restore(fleet: Fleet, subdomain: string): Accepted {
  const { db, clock } = fleet
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    const { id: instanceId, removal, suspension } = instance
    if (!removal) throw notPossibleNow(`"${subdomain}" is not removed; there is nothing to undo.`)
    if (removal.purgeRequestedAt !== null)
      throw notPossibleNow(`The data of "${subdomain}" is being deleted.`)
    const desired = removal.desiredBefore
    const runs = wanted({ desired, suspension }) === 'running'
    endRemoval(db, instance)
    updateInstance(db, instanceId, {
      desired,
      status: runs ? 'provisioning' : 'stopping',
      statusReason: null,
    })
    const kind = runs ? 'provision' : 'stop'
    const operationId = openOperation(fleet, { instanceId, kind, image: null }, clock.now())
    fleet.changed({ instanceId, subdomain, change: 'undo-removal', operationId, result: 'accepted' })
    return { instanceId, operationId }
  })
}
