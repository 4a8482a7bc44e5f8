import type { Fleet } from '../records/fleet.ts'
import { updateInstance } from '../records/instance.ts'
import { type Accepted, openOperation } from '../records/operation.ts'
import { planOf } from '../records/plan.ts'
import { restartRetention } from '../records/removal.ts'
import { endSuspension } from '../records/suspension.ts'
import { newPassword, resettable } from './password.ts'

/**
 * Gives an instance with everything in it to another owner, removed or not. The password is a new one, returned here and
 * kept nowhere: the previous owner is signed out, scripts with tokens too, and a running instance is restarted for
 * that, after a copy was made of what there is. It leaves its account and is no longer suspended; the new owner claims it. The retention period of a removed one
 * restarts.
 */
export async function transfer(
  fleet: Fleet,
  subdomain: string,
  ownerEmail: string,
): Promise<Accepted & { password: string }> {
  const { db, clock } = fleet
  // Before the hash, which takes a while, and again after it.
  resettable(fleet, subdomain, { forAnotherOwner: true })
  const { password, passwordHash } = await newPassword()
  return db.transaction(() => {
    const instance = resettable(fleet, subdomain, { forAnotherOwner: true })
    const { id: instanceId } = instance
    const now = clock.now()
    updateInstance(db, instanceId, {
      ownerEmail,
      passwordHash,
      handedOverAt: now,
      accountId: null,
      settings: null,
    })
    restartRetention(db, instance, 'operator', now)
    endSuspension(db, instanceId)
    // The data of a removed one stay as they are: a copy that is made later is the same.
    if (instance.desired === 'deleted') fleet.copies()?.request(instance, 'transfer')
    const operation = { instanceId, kind: 'transfer', image: null } as const
    const operationId =
      instance.desired === 'deleted'
        ? null
        : openOperation(fleet, operation, now, planOf('transfer', instance.desired))
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'transfer', operationId, result })
    return { instanceId, operationId, password }
  })
}
