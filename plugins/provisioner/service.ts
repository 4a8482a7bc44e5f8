import { request } from './commands/commands.ts'
import type { Ownership } from './commands/ownership.ts'
import { restore } from './commands/restore.ts'
import { restoreAll } from './commands/restore-copy.ts'
import { upgradeWork } from './commands/upgrade-work.ts'
import type { Desired, OperationKind, ProvisionerService } from './contract.ts'
import type { Capacity } from './driver.ts'
import { exceeds } from './drivers/capacity.ts'
import { lookUp } from './list/look-up.ts'
import type { HealthWatch } from './reconciler/health-watch.ts'
import { limitInstance } from './reconciler/limits.ts'
import { recordHealth, watched, watchedOne } from './reconciler/observation.ts'
import type { Reconciler } from './reconciler/reconciler.ts'
import type { RetentionSettings } from './reconciler/retention.ts'
import { diskUsedByAll } from './records/disk-use.ts'
import type { Fleet } from './records/fleet.ts'
import { recordNotes } from './records/note.ts'
import { fleetSummary } from './records/summary.ts'
import { resumeInstance, suspendInstance } from './records/suspension.ts'

const kinds = { running: 'start', stopped: 'stop', deleted: 'deprovision' } as const satisfies Record<
  Desired,
  OperationKind
>

/** What other plugins may ask of the provisioner. `act` makes the reconciler act. */
export function provisionerService(parts: {
  fleet: Fleet
  health: HealthWatch
  reconciler: Reconciler
  ownership: Ownership
  retention: RetentionSettings
  /** What the engine has; null while it has not said. */
  capacity: Capacity | null
  /** What an instance may take of the memory, unless it has a limit of its own. */
  memoryBytes: number
  /** What counts requests; null where they are not counted. */
  busiestMinute(): ProvisionerService['busiestMinute'] | null
  act(): void
}): ProvisionerService {
  const { fleet, health, reconciler, ownership, retention, capacity, memoryBytes, act } = parts
  const { db, site } = fleet
  const actIf = (changed: boolean) => {
    if (changed) act()
    return changed
  }
  return {
    outlivesControlPlane: fleet.driver.outlivesControlPlane,
    ...lookUp(fleet, retention),
    setDesired: (subdomain, desired, by) => {
      request(fleet, subdomain, kinds[desired], by ? { by } : {})
      act()
    },
    restore: subdomain => {
      restore(fleet, subdomain)
      act()
    },
    suspend: (id, why) => actIf(suspendInstance(fleet, id, why)),
    resume: id => actIf(resumeInstance(fleet, id)),
    busiestMinute: id => parts.busiestMinute()?.(id) ?? null,
    limit: (id, limits) => actIf(limitInstance(fleet, id, limits)),
    note: notes => recordNotes(db, notes),
    owned: account => ownership.of(account, act),
    limitFault: (limits, whose) => capacity && exceeds(limits, capacity, whose),
    upgrades: upgradeWork(fleet, act),
    summary: recent => fleetSummary(db, { capacity, addresses: fleet.addresses.now, memoryBytes, recent }),
    retentionMs: retention.keptMs,
    restoreAll: copyOf => {
      const left = restoreAll(fleet, copyOf)
      act()
      return left
    },
    workOnFolder: work =>
      fleet.inTurn(work.folder, work.signal, () =>
        fleet.driver.workOnFolder({ ...work, image: fleet.defaultImage.name }),
      ),
    measure: async signal => {
      const { used, restMs } = await fleet.driver.measure(site.dataRoot, signal)
      const disk = diskUsedByAll(db)
      const measured = used.map(each => ({ ...each, diskBytes: disk.get(each.instanceId) ?? null }))
      return { measured, restMs }
    },
    makeFolder: folder => fleet.driver.prepareVolume({ volume: folder }),
    changed: change => fleet.changed(change),
    watched: () => watched(db),
    watchedOne: id => watchedOne(db, id),
    recordHealth: (id, seen) => {
      if (recordHealth(fleet, health, id, seen)) reconciler.recheck(id)
    },
  }
}
