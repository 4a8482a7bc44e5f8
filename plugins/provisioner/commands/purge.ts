import type { Fleet } from '../records/fleet.ts'
import { requireInstance, updateInstance } from '../records/instance.ts'
import type { Accepted } from '../records/operation.ts'
import { refuseVolumeOfAnother, seeVolume } from '../records/volume-record.ts'
import { purgeFault, volumePath } from '../volumes/volume.ts'
import { request } from './commands.ts'

/**
 * Asks for an instance's data to be deleted, with whatever stands at its volume's place, though that does not say that it
 * is this instance's. Throws `not-possible-now` when it is the volume of another instance that has a record.
 */
export async function purgeAnyway(fleet: Fleet, subdomain: string): Promise<Accepted> {
  const { db, site } = fleet
  const path = volumePath(site.dataRoot, subdomain)
  requireInstance(db, subdomain)
  const sight = await seeVolume(fleet, subdomain)
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    if (sight.kind !== 'marked' || sight.id !== instance.id) refuseVolumeOfAnother(fleet, path, sight)
    const accepted = request(fleet, subdomain, 'purge')
    if (purgeFault(instance, path, sight) !== null)
      updateInstance(db, instance.id, { volumePermit: 'delete' })
    return accepted
  })
}
