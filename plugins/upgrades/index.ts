import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import { advance, type FleetUpgrading } from './advance.ts'
import { openUpgrade, pruneUpgrades } from './records.ts'
import { upgradeConcerns, upgradeMetrics } from './reports.ts'
import { upgradeRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { Watch } from './watch.ts'

/** Fleet upgrades of which the record is kept. */
const keptUpgrades = 100

/** Upgrades all instances to one image, in waves, and takes them back. */
export const upgrades = definePlugin({
  name: 'upgrades',
  needs: ['auth', 'provisioner'],
  tables: { schema, migrations: 'plugins/upgrades/migrations' },
  setup({ db, clock, log, services: { auth, provisioner }, nudge }) {
    const parts: FleetUpgrading = { db, work: provisioner.upgrades, clock, log }
    const watch = new Watch(clock)
    let lastRound: number | null = null
    return {
      routes: upgradeRoutes({ ...parts, admin: auth.admin, watch, nudge: () => nudge('advance') }),
      tasks: [
        {
          name: 'advance',
          everyMs: 2000,
          run: async () => {
            const now = clock.monotonic()
            const passedMs = lastRound === null ? 0 : now - lastRound
            lastRound = now
            await advance(parts, passedMs)
            watch.changed()
          },
        },
        { name: 'prune', everyMs: 24 * 3_600_000, run: async () => pruneUpgrades(db, keptUpgrades) },
      ],
      hooks: {
        'images-in-use': () => {
          const open = openUpgrade(db)
          return open ? [{ imageId: open.imageId, why: 'a fleet upgrade brings it' }] : []
        },
        // Announced in the transaction that ends the operation: the next round begins after it.
        'instance-change': ({ via }) => {
          if (via === 'operation' && openUpgrade(db)) queueMicrotask(() => nudge('advance'))
        },
      },
      metrics: () => upgradeMetrics(db),
      concernKinds: ['fleet-upgrade-halted', 'fleet-upgrade-kept'],
      concerns: () => upgradeConcerns(db, clock.now()),
      drain: () => watch.stop(),
    }
  },
})
