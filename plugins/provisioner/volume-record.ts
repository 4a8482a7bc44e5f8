import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import type { Logger } from '../../src/log.ts'
import { writeVolumeIdentity } from '../../src/volume-identity.ts'
import type { Accepted } from './commands.ts'
import { notPossibleNow, suspended, volumeUnknown, volumeUnseen } from './errors.ts'
import type { Fleet } from './fleet.ts'
import { requireInstance, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'
import { instances } from './schema.ts'
import { type VolumeSight, volumeFault, volumePath } from './volume.ts'

/** What stands at an instance's volume's place, for an answer. Throws `volume-unseen` when that cannot be told now. */
export async function seeVolume(fleet: Fleet, subdomain: string): Promise<VolumeSight> {
  try {
    return await fleet.lookAtVolume(volumePath(fleet.site.dataRoot, subdomain))
  } catch (error) {
    throw volumeUnseen(`${(error as Error).message}. Nothing was changed.`)
  }
}

/**
 * Writes their instances' ids into volumes that an earlier version made: what stands at the place of one that was ready
 * is its own, for that version went by the name alone. What is missing stays missing.
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
      if ((await fleet.lookAtVolume(path)).kind !== 'unmarked') continue
      await writeVolumeIdentity(path, id)
      marked.push(id)
    } catch (error) {
      log.warn({ err: error, subdomain }, 'its volume could not be marked; the next start tries again')
    }
  }
  if (marked.length === 0) return
  db.transaction(() => {
    for (const id of marked) updateInstance(db, id, { volumeMarkedAt: clock.now() })
  })
}

/**
 * Lets an instance that is kept from its volume start all the same: with a new, empty one where it is missing, or, with
 * `adopt`, with the one that stands at its place. Throws `not-possible-now` when its volume is there, or when another
 * instance's stands in its place; `volume-unknown` when there is one to adopt and that was not said.
 */
export async function beginAnew(
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
    if (suspension !== null) throw suspended(`"${subdomain}" does not run for now: ${suspension}`)
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
