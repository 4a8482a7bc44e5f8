import { randomText } from '../../../src/ids.ts'
import { hashRandomPassword } from '../../../src/password.ts'
import { notPossibleNow } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance, updateInstance, wanted } from '../records/instance.ts'
import { type Accepted, openOperation, openOperationOf } from '../records/operation.ts'
import type { Instance } from '../schema.ts'
import { refuseBeforeCopy } from './owed-copy.ts'

/** Makes a password of 100 random bits, which is shown once, and the hash that is stored. */
export async function newPassword(): Promise<{ password: string; passwordHash: string }> {
  const password = [randomText(5), randomText(5), randomText(5), randomText(5)].join('-')
  return { password, passwordHash: await hashRandomPassword(password) }
}

/**
 * Gives an instance another password, which is returned here and kept nowhere. One that is meant to run is restarted
 * with it, and ends the sessions of the old one when it comes up; any other has it from its next start on. `mayStill`
 * throws when the caller may no longer do this: the instance may change owners while the password is hashed.
 */
export async function resetPassword(
  fleet: Fleet,
  subdomain: string,
  mayStill: () => void = () => {},
): Promise<Accepted & { password: string }> {
  const { db, clock } = fleet
  // Before the hash, which takes a while, and again after it.
  mayStill()
  resettable(fleet, subdomain)
  const { password, passwordHash } = await newPassword()
  return db.transaction(() => {
    mayStill()
    const instance = resettable(fleet, subdomain)
    const { id: instanceId } = instance
    // A running container keeps the old one until it is recreated. If that fails, it shows as running with older settings.
    updateInstance(db, instanceId, { passwordHash, settings: null })
    const operation = { instanceId, kind: 'reset-password', image: null } as const
    const operationId = wanted(instance) === 'running' ? openOperation(fleet, operation, clock.now()) : null
    const result = operationId === null ? 'done' : 'accepted'
    fleet.changed({ instanceId, subdomain, change: 'reset-password', operationId, result })
    return { instanceId, operationId, password }
  })
}

/**
 * The instance, unless it cannot have another password now: then `not-possible-now`. A removed one can have another only
 * together with another owner; one that is being handed over, too.
 */
export function resettable(
  fleet: Fleet,
  subdomain: string,
  { forAnotherOwner = false }: { forAnotherOwner?: boolean } = {},
): Instance {
  const { db } = fleet
  const instance = requireInstance(db, subdomain)
  if (instance.removal?.purgeRequestedAt) throw notPossibleNow(`The data of "${subdomain}" is being deleted.`)
  if (instance.desired === 'deleted' && !forAnotherOwner) {
    throw notPossibleNow(`"${subdomain}" is deprovisioned; its owner gets a new password with it.`)
  }
  // A restart in the place of an upgrade would leave the upgrade undone.
  if (openOperationOf(db, instance.id)?.kind === 'upgrade') {
    throw notPossibleNow(`"${subdomain}" is being upgraded; try again when that is done.`)
  }
  if (!forAnotherOwner) refuseBeforeCopy(fleet, instance)
  return instance
}
