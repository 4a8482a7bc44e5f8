import { notPossibleNow } from '../contract.ts'
import { suspended, volumeUnknown } from '../problems.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance, updateInstance } from '../records/instance.ts'
import { type Accepted, openOperation } from '../records/operation.ts'
import { refuseVolumeOfAnother, seeVolume } from '../records/volume-record.ts'
import { type VolumeSight, volumeFault, volumePath } from '../volumes/volume.ts'

/**
 * Lets an instance that is kept from its volume start all the same: with a new, empty one where it is missing, or, with
 * `adopt`, with the one that stands at its place. Throws `not-possible-now` when its volume is there, or when another
 * instance's stands in its place; `volume-unknown` when there is one to adopt and that was not said.
 */
export async function startOver(
  fleet: Fleet,
  subdomain: string,
  { adopt }: { adopt: boolean },
): Promise<Accepted> {
  const { db, clock, site } = fleet
  const path = volumePath(site.dataRoot, subdomain)
  requireInstance(db, subdomain)
  const sight = await seeVolume(fleet, subdomain)
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    const { id: instanceId, desired, suspension } = instance
    if (desired === 'deleted') throw notPossibleNow(`"${subdomain}" is removed; bring it back first.`)
    if (suspension) throw suspended(`"${subdomain}" does not run for now: ${suspension.reason}`)
    const fault = volumeFault(instance, path, sight)
    if (!fault) throw notPossibleNow(`Nothing keeps "${subdomain}" from its volume. Nothing was changed.`)
    if (fault.kind === 'foreign') requireAdoptable(fleet, path, sight, adopt)
    else if (adopt) throw notPossibleNow(`There is no volume at ${path} to adopt. Nothing was changed.`)
    updateInstance(db, instanceId, { desired: 'running', volumePermit: adopt ? 'adopt' : 'new' })
    const operationId = openOperation(fleet, { instanceId, kind: 'start', image: null }, clock.now())
    const detail = adopt ? 'with the volume that is in its place' : 'with a new, empty volume'
    fleet.changed({ instanceId, subdomain, change: 'start', operationId, result: 'accepted', detail })
    return { instanceId, operationId }
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
