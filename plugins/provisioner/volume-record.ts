import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import type { Logger } from '../../src/log.ts'
import { writeVolumeIdentity } from '../../src/volume-identity.ts'
import type { Accepted } from './commands.ts'
import { notPossibleNow, suspended, volumeUnknown } from './errors.ts'
import type { Fleet } from './fleet.ts'
import { requireInstance, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'
import { type Instance, instances } from './schema.ts'
import { lookAtVolume, type VolumeFault, type VolumeSight, volumeFault, volumePath } from './volume.ts'

/** Why an instance may not start on what stands at its volume's place now; null when it may. */
export function faultOfVolume({ site }: Fleet, instance: Instance): VolumeFault | null {
  const path = volumePath(site.dataRoot, instance.subdomain)
  return volumeFault(instance, path, lookAtVolume(path))
}

/**
 * Writes their instances' ids into volumes that an earlier version made: what stands at the place of one that was ready
 * is its own, for that version went by the name alone. What is missing stays missing.
 */
export function markEarlierVolumes(fleet: Fleet, log: Logger): void {
  const { db, site, clock } = fleet
  const unmarked = db
    .select({ id: instances.id, subdomain: instances.subdomain })
    .from(instances)
    .where(and(isNotNull(instances.readyAt), isNull(instances.volumeMarkedAt), isNull(instances.purgedAt)))
    .all()
  if (unmarked.length === 0) return
  db.transaction(() => {
    for (const { id, subdomain } of unmarked) {
      const path = volumePath(site.dataRoot, subdomain)
      try {
        if (lookAtVolume(path).kind !== 'unmarked') continue
        writeVolumeIdentity(path, id)
        updateInstance(db, id, { volumeMarkedAt: clock.now() })
      } catch (error) {
        log.warn({ err: error, subdomain }, 'its volume could not be marked; the next start tries again')
      }
    }
  })
}

/**
 * Lets an instance that is kept from its volume start all the same: with a new, empty one where it is missing, or, with
 * `adopt`, with the one that stands at its place. Throws `not-possible-now` when its volume is there, or when another
 * instance's stands in its place; `volume-unknown` when there is one to adopt and that was not said.
 */
export function beginAnew(fleet: Fleet, subdomain: string, { adopt }: { adopt: boolean }): Accepted {
  const { db, clock, site } = fleet
  const path = volumePath(site.dataRoot, subdomain)
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    const { id: instanceId, desired, suspension } = instance
    if (desired === 'deleted') throw notPossibleNow(`"${subdomain}" is removed; bring it back first.`)
    if (suspension !== null) throw suspended(`"${subdomain}" does not run for now: ${suspension}`)
    const sight = lookAtVolume(path)
    const fault = volumeFault(instance, path, sight)
    if (!fault) throw notPossibleNow(`Nothing keeps "${subdomain}" from its volume. Nothing was changed.`)
    if (fault.kind === 'foreign') requireAdoptable(fleet, path, sight, adopt)
    else if (adopt) throw notPossibleNow(`There is no volume at ${path} to adopt. Nothing was changed.`)
    updateInstance(db, instanceId, { desired: 'running', volumePermit: adopt ? 'adopt' : 'new' })
    return {
      instanceId,
      operationId: openOperation(db, { instanceId, kind: 'start', image: null }, clock.now()),
    }
  })
}

function requireAdoptable(fleet: Fleet, path: string, sight: VolumeSight, adopt: boolean): void {
  if (sight.kind === 'not-a-folder')
    throw notPossibleNow(`${path} is not a folder; move it out of the way. Nothing was changed.`)
  refuseVolumeOfAnother(fleet, path, sight)
  if (adopt) return
  throw volumeUnknown(`${path} holds data that does not say it is this instance's. Nothing was changed.`, {
    errors: [{ path: 'adopt', message: 'must be true to take over this volume; or move the folder away' }],
  })
}

/** A volume never passes from one instance that has a record to another, whatever the operator sends. */
export function refuseVolumeOfAnother({ db }: Fleet, path: string, sight: VolumeSight): void {
  if (sight.kind !== 'marked') return
  const owner = db
    .select({ subdomain: instances.subdomain })
    .from(instances)
    .where(and(eq(instances.id, sight.id), isNull(instances.purgedAt)))
    .get()
  if (owner)
    throw notPossibleNow(
      `${path} holds the volume of "${owner.subdomain}"; move it to where that one has its own. Nothing was changed.`,
    )
}
