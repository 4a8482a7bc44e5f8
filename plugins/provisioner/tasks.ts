import type { Task } from '../../src/kernel/tasks.ts'
import type { Logger } from '../../src/log.ts'
import type { AccountDirectory } from '../auth/contract.ts'
import type { Ownership } from './commands/ownership.ts'
import { lookAtAddressesEveryMs } from './drivers/addresses.ts'
import { compareEveryMs, type Orphans } from './orphans/orphans.ts'
import { pruneImages } from './pruning/pruning.ts'
import { clearAllLeftData } from './reconciler/left-data.ts'
import type { Reconciler } from './reconciler/reconciler.ts'
import {
  type Objector,
  type RetentionSettings,
  retentionLookMs,
  runRetention,
} from './reconciler/retention.ts'
import { lookAtImageEveryMs } from './records/default-image.ts'
import type { Measurements } from './records/disk-use.ts'
import type { Fleet } from './records/fleet.ts'
import type { OperationCounts } from './records/metrics.ts'
import { pruneOperations } from './records/operation.ts'
import { pruneStatusChanges } from './records/status-history.ts'

/** Operations of each instance that are kept. */
const keptOperations = 50

/** What the provisioner does by itself. `act` makes the reconciler act. */
export function provisionerTasks(parts: {
  fleet: Fleet
  log: Logger
  reconciler: Reconciler
  orphans: Orphans
  measurements: Measurements
  ownership: Ownership
  retention: RetentionSettings
  counts: OperationCounts
  accounts: AccountDirectory
  objections(): readonly Objector[]
  /** At which age images that nothing needs are removed; 0 for never. */
  pruneImagesMs: number
  act(): void
}): Task[] {
  const { fleet, log, reconciler, orphans, ownership, retention, counts, accounts, objections, act } = parts
  return [
    { name: 'reconcile', everyMs: 10_000, run: () => reconciler.runOnce() },
    {
      name: 'look-at-image',
      everyMs: lookAtImageEveryMs,
      run: () =>
        fleet.defaultImage
          .look()
          .catch(error => log.warn({ err: error }, 'could not look at the image of new instances')),
    },
    {
      name: 'look-at-addresses',
      everyMs: lookAtAddressesEveryMs,
      run: () =>
        fleet.addresses
          .look()
          .catch(error => log.warn({ err: error }, 'could not look at the network of the instances')),
    },
    {
      name: 'retention',
      everyMs: retentionLookMs,
      run: async signal => {
        await runRetention({ fleet, settings: retention, objections: objections(), log, signal })
        act()
      },
    },
    {
      name: 'prune-images',
      everyMs: 24 * 3_600_000,
      run: async () => {
        if (parts.pruneImagesMs === 0) return
        const ended = await pruneImages(fleet, { ids: null, olderThanMs: parts.pruneImagesMs, dryRun: false })
        for (const { image, why } of ended)
          log.info(
            { image: image.id, tags: image.tags, why },
            why === '' ? 'an image was removed' : 'an image stays',
          )
      },
    },
    { name: 'measure-volumes', everyMs: 60_000, run: signal => parts.measurements.round(fleet, signal) },
    { name: 'follow-owners', everyMs: 3_600_000, run: async () => ownership.followOwners(accounts) },
    {
      name: 'compare-containers',
      everyMs: compareEveryMs,
      run: () =>
        orphans
          .compare(fleet, log)
          .catch(error => log.warn({ err: error }, 'could not compare the containers with the records')),
    },
    {
      name: 'prune-operations',
      everyMs: 3_600_000,
      run: async () => {
        counts.update()
        pruneOperations(fleet.db, keptOperations)
        pruneStatusChanges(fleet.db, fleet.clock.now())
        await clearAllLeftData(fleet)
      },
    },
  ]
}
