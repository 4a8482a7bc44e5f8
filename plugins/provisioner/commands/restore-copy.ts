import { existsSync } from 'node:fs'
import { invalidFields } from '../../../src/http/problem.ts'
import { notPossibleNow, type VolumeCopies } from '../contract.ts'
import { subdomainTaken } from '../problems.ts'
import { sameAddress } from '../records/email-address.ts'
import { type Fleet, setAddress, setStatus } from '../records/fleet.ts'
import {
  findBySubdomain,
  findInstance,
  listInstances,
  requireInstance,
  updateInstance,
  wanted,
} from '../records/instance.ts'
import { type Accepted, openOperation } from '../records/operation.ts'
import { planOf } from '../records/plan.ts'
import type { Instance } from '../schema.ts'
import { volumePath } from '../volumes/volume.ts'
import { provision } from './commands.ts'
import { refuseBeforeCopy } from './owed-copy.ts'

/**
 * Requests that an instance gets the data of one of its copies in place of its own, which are copied first. Throws
 * `unknown-backup`, and `not-possible-now` for an instance that is removed, or that was made from a copy and has no data yet.
 */
export function restoreCopy(fleet: Fleet, subdomain: string, copyId: string): Accepted {
  const { db, clock } = fleet
  const copies = requireCopies(fleet)
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    copies.require(instance.id, copyId)
    if (instance.desired === 'deleted')
      throw notPossibleNow(
        `"${subdomain}" is removed. Undo the removal first, or restore the backup into a new name.`,
      )
    if (instance.pendingCopyId !== null)
      throw notPossibleNow(`"${subdomain}" is still being made from a backup.`)
    refuseBeforeCopy(fleet, instance)
    const operation = { instanceId: instance.id, kind: 'restore', image: null, copyId } as const
    const plan = planOf('restore', wanted(instance))
    const operationId = openOperation(fleet, operation, clock.now(), plan)
    const { id: instanceId } = instance
    const detail = `backup ${copyId}`
    fleet.changed({ instanceId, subdomain, change: 'restore', operationId, result: 'accepted', detail })
    return { instanceId, operationId }
  })
}

/**
 * Requests a new instance, with a new id and a new password, that begins with the data of a copy. It belongs to the owner of the
 * copied instance, also after that was purged; `ownerEmail` names another one. The password is returned here and stored nowhere.
 * Throws `unknown-backup`, `unknown-instance`, `invalid` when the last owner has no address anymore, `subdomain-taken`, and what
 * `provision` throws.
 */
export async function restoreInto(
  fleet: Fleet,
  {
    subdomain,
    copyId,
    into,
    ownerEmail,
  }: { subdomain: string; copyId: string; into: string; ownerEmail?: string | undefined },
): Promise<Accepted & { password: string }> {
  const source = sourceOf(fleet, subdomain, copyId)
  if (findBySubdomain(fleet.db, into)) throw subdomainTaken(`An instance called "${into}" exists already.`)
  const owner = ownerEmail ?? source.ownerEmail
  if (owner === '')
    throw invalidFields([
      {
        path: 'owner_email',
        message: 'must name the owner: the last owner of this backup deleted the account',
      },
    ])
  return await provision(fleet, {
    ...{ subdomain: into, ownerEmail: owner, image: source.image, adopt: false, account: null },
    copy: {
      id: copyId,
      secretsOf: [source.id, ...source.secretsOf],
      isHandedOver: !sameAddress(owner, source.ownerEmail),
    },
  })
}

/** The instance of this name that a copy is of: the one that has the name now, or one that had it and was purged. */
function sourceOf(fleet: Fleet, subdomain: string, copyId: string): Instance {
  const { db } = fleet
  const copies = requireCopies(fleet)
  const instanceId = copies.instanceOf(copyId)
  const copied = instanceId === null ? null : findInstance(db, instanceId)
  if (copied?.subdomain === subdomain && copied.purgedAt !== null) return copied
  const current = requireInstance(db, subdomain)
  copies.require(current.id, copyId)
  return current
}

/**
 * Opens a restore for every instance that was ever ready and has no volume on this host. Where they listened, and which image
 * they were pinned to, says nothing here: each is pinned anew, to what its image's name means. Returns the subdomains of those
 * without a copy.
 */
export function restoreAll(fleet: Fleet, copyOf: (instanceId: string) => string | null): string[] {
  const { db, clock, site } = fleet
  const left: string[] = []
  db.transaction(() => {
    for (const instance of listInstances(db)) {
      const { id, subdomain, desired, readyAt } = instance
      if (existsSync(volumePath(site.dataRoot, subdomain))) continue
      updateInstance(db, id, { imageId: null })
      setAddress(fleet, id, null)
      if (readyAt === null || desired === 'deleted') continue
      const copyId = copyOf(id)
      if (copyId === null) {
        left.push(subdomain)
        continue
      }
      const plan = planOf('restore', wanted(instance))
      if (wanted(instance) === 'running') setStatus(fleet, id, 'provisioning')
      const operation = { instanceId: id, kind: 'restore', image: null, copyId } as const
      const operationId = openOperation(fleet, operation, clock.now(), plan)
      const detail = `backup ${copyId}`
      fleet.changed({ instanceId: id, subdomain, change: 'restore', operationId, result: 'accepted', detail })
    }
  })
  return left
}

function requireCopies(fleet: Fleet): VolumeCopies {
  const copies = fleet.copies()
  if (copies) return copies
  throw notPossibleNow('This control plane makes no backups of instances; there is nothing to restore.')
}
