import type { Fleet } from '../records/fleet.ts'
import { requireInstance } from '../records/instance.ts'
import type { Accepted } from '../records/operation.ts'
import { updateRemoval } from '../records/removal.ts'
import { refuseVolumeOfAnother, seeVolume } from '../records/volume-record.ts'
import { permitFor, purgeFault, volumePath } from '../volumes/volume.ts'
import { request } from './commands.ts'

/**
 * Requests a purge that also deletes what stands in the volume's place now, though that does not say that it is this
 * instance's. What takes its place later is not deleted. Throws `not-possible-now` when it is the volume of another instance
 * that has a record.
 */
export async function purgeAnyway(
  fleet: Fleet,
  subdomain: string,
  options: { withoutCopy: boolean },
): Promise<Accepted> {
  const { db, site } = fleet
  const path = volumePath(site.dataRoot, subdomain)
  requireInstance(db, subdomain)
  const sight = await seeVolume(fleet, subdomain)
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    if (sight.kind !== 'marked' || sight.id !== instance.id) refuseVolumeOfAnother(fleet, path, sight)
    const accepted = request(fleet, subdomain, 'purge', options)
    if (sight.kind !== 'absent' && purgeFault(instance, path, sight) !== null)
      updateRemoval(db, instance.id, { volumePermit: permitFor(sight) })
    return accepted
  })
}
