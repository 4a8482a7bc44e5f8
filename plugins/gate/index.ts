import { join } from 'node:path'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { keyInFile } from '../../src/storage/seal.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../router/contract.ts'
import '../site/contract.ts'
import { createGates } from './gates.ts'
import { gateRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { ticketRoute } from './ticket-route.tsx'

/** Who may open an instance at all. The edge lets through or refuses; this plugin knows who is signed in, and signs tickets. */
export const gate = definePlugin({
  name: 'gate',
  needs: ['auth', 'provisioner', 'router', 'site'],
  tables: { schema, migrations: 'plugins/gate/migrations' },
  setup: ({ db, clock, services, nudge }) => {
    const { auth, provisioner, router, site } = services
    const key = keyInFile(join(site.dataRoot, '.control', 'gate-key'))
    const gates = createGates({ db, provisioner, router, key, sessionsOf: auth.sessionsOf })
    const { publish } = gates
    const parts = { gates, site, publish }
    // Before anything starts, so that no edge ever has an instance without its gate.
    publish()
    return {
      routes: [
        ticketRoute({ gates, auth, provisioner, router, site, clock }),
        ...gateRoutes(parts, {
          path: '/instances/{subdomain}',
          guard: auth.account,
          find: (c, subdomain) => provisioner.owned(auth.accountOf(c)).find(subdomain),
          frame: title => ownerFrame('/instances', title),
        }),
        ...gateRoutes(parts, {
          path: '/admin/instances/{subdomain}',
          guard: auth.admin,
          roles: { look: 'read', change: 'operate' },
          find: (_, subdomain) => provisioner.instance(subdomain),
          frame: title => operatorFrame(title, '/admin/instances'),
        }),
      ],
      // Who signs out is out at the next round; a change of an instance begins one, after its transaction.
      tasks: [{ name: 'follow-sessions', everyMs: 15_000, run: async () => publish() }],
      hooks: {
        'instance-change': ({ instanceId, change, result }) => {
          if (change === 'transfer') gates.renew(instanceId)
          if (change === 'purge' && result === 'done') gates.forget(instanceId)
          nudge('follow-sessions')
        },
      },
    }
  },
})
