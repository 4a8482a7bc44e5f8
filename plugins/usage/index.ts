import { definePlugin } from '../../src/kernel/control-plane.ts'
import { gauge } from '../../src/metrics/exposition.ts'
import '../auth/contract.ts'
import type { InstanceUsage, UsagePeriod } from '../provisioner/contract.ts'
import { usageRoute } from './routes.ts'
import { createSampler } from './sampler.ts'
import * as schema from './schema.ts'
import { openUsageStore } from './store.ts'

/** What each instance takes of the processor, memory and disk: measured in the background, and kept at falling resolution. */
export const usage = definePlugin({
  name: 'usage',
  needs: ['auth', 'provisioner'],
  tables: { schema, migrations: 'plugins/usage/migrations' },
  setup: ({ db, clock, services: { auth, provisioner } }) => {
    const store = openUsageStore(db)
    const sampler = createSampler({ provisioner, store, clock })
    const usageOf = (instanceId: string, period: UsagePeriod): InstanceUsage => ({
      now: sampler.now(instanceId),
      ...store.read(instanceId, period, clock.now()),
    })
    return {
      routes: [usageRoute({ admin: auth.admin, provisioner, usageOf })],
      tasks: [{ name: 'measure', everyMs: 60_000, run: signal => sampler.round(signal) }],
      hooks: {
        'instance-usage': usageOf,
        'instance-change': ({ instanceId, change, result }) => {
          if (change === 'purge' && result === 'done') store.forget(instanceId)
        },
      },
      metrics: () => {
        const { measured, roundMs } = sampler.figures()
        return [
          gauge('longhouse_usage_instances', 'Instances that the last round measured.', [[{}, measured]]),
          gauge('longhouse_usage_round_seconds', 'How long the last round of measuring took.', [
            [{}, roundMs / 1000],
          ]),
        ]
      },
    }
  },
})
