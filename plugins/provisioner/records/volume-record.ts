import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import type { Logger } from '../../../src/log.ts'
import { notPossibleNow } from '../contract.ts'
import { volumeUnseen } from '../problems.ts'
import { instances } from '../schema.ts'
import { markVolume, type VolumeSight, volumePath } from '../volumes/volume.ts'
import type { Fleet } from './fleet.ts'
import { updateInstance } from './instance.ts'

/** Looks at an instance's volume for a request. Throws `volume-unseen` when the disk does not answer. */
export async function seeVolume(fleet: Fleet, subdomain: string): Promise<VolumeSight> {
  try {
    return await fleet.lookAtVolume(volumePath(fleet.site.dataRoot, subdomain))
  } catch (error) {
    throw volumeUnseen(`${(error as Error).message}. Nothing was changed.`)
  }
}

/**
 * Marks volumes that an earlier version made with their instances' ids. That version went by the name alone, so what stands in
 * the place of an instance that was ready is its own. What is missing stays missing.
 */
export async function markEarlierVolumes(fleet: Fleet, log: Logger): Promise<void> {
  const { db, site, clock } = fleet
  const unmarked = db
    .select({ id: instances.id, subdomain: instances.subdomain })
    .from(instances)
    .where(and(isNotNull(instances.readyAt), isNull(instances.volumeMarkedAt), isNull(instances.purgedAt)))
    .all()
  const marked: string[] = []
  for (const { id, subdomain } of unmarked) {
    const path = volumePath(site.dataRoot, subdomain)
    try {
      const sight = await fleet.lookAtVolume(path)
      if (sight.kind === 'unmarked' && (await markVolume(path, id, sight))) marked.push(id)
    } catch (error) {
      log.warn({ err: error, subdomain }, 'its volume could not be marked; the next start tries again')
    }
  }
  if (marked.length === 0) return
  db.transaction(() => {
    for (const id of marked) updateInstance(db, id, { volumeMarkedAt: clock.now() })
  })
}

/** Throws `not-possible-now` for the volume of another instance that has a record: the operator cannot override that. */
export function refuseVolumeOfAnother(fleet: Fleet, path: string, sight: VolumeSight): void {
  const owner = sight.kind === 'marked' ? ownerOfVolume(fleet, sight.id) : null
  if (owner !== null)
    throw notPossibleNow(
      `${path} holds the volume of "${owner}"; move it to where that one has its own. Nothing was changed.`,
    )
}

/** The subdomain of the instance with this id, while its volume may exist; null when there is none. */
export function ownerOfVolume({ db }: Pick<Fleet, 'db'>, instanceId: string): string | null {
  const owner = db
    .select({ subdomain: instances.subdomain })
    .from(instances)
    .where(and(eq(instances.id, instanceId), isNull(instances.purgedAt)))
    .get()
  return owner?.subdomain ?? null
}
