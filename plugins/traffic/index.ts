import { definePlugin } from '../../src/kernel/control-plane.ts'
import { gauge } from '../../src/metrics/exposition.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../router/contract.ts'
import '../site/contract.ts'
import { trafficRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { openTrafficStore } from './store.ts'
import { createWatch } from './watch.ts'

/** What passes to and from each instance: live, and kept at falling resolution. */
export const traffic = definePlugin({
  name: 'traffic',
  needs: ['site', 'auth', 'provisioner', 'router'],
  tables: { schema, migrations: 'plugins/traffic/migrations' },
  setup: ({ db, clock, services: { site, auth, provisioner, router } }) => {
    const watch = createWatch({ router, store: openTrafficStore(db), clock })
    return {
      routes: trafficRoutes({ site, auth, provisioner, clock, read: watch.read }),
      tasks: [{ name: 'look', everyMs: 5000, run: async () => watch.round() }],
      hooks: {
        'instance-traffic-page': (subdomain, reader) =>
          reader === 'operator' ? `/admin/instances/${subdomain}/traffic` : `/instances/${subdomain}/traffic`,
        // In labels mode, requests pass by.
        'instance-busiest-minute': instanceId =>
          site.routerMode === 'labels' ? null : watch.busiestMinute(instanceId),
        'instance-change': ({ instanceId, change, result }) => {
          if (change === 'purge' && result === 'done') watch.forget(instanceId)
        },
      },
      metrics: () => {
        const { keptMs, instances } = watch.figures()
        return [
          gauge('longhouse_traffic_instances', 'Instances with traffic in the last minute.', [
            [{}, instances],
          ]),
          gauge('longhouse_traffic_keep_seconds', 'How long a round took that kept traffic.', [
            [{}, keptMs / 1000],
          ]),
        ]
      },
      stop: () => watch.stop(),
    }
  },
})
