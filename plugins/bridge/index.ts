import { join } from 'node:path'
import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { openSeal } from '../../src/seal.ts'
import { siteUrl } from '../site/contract.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import { keyRing } from './key-ring.ts'
import { bridgeRoutes } from './routes.ts'
import * as schema from './schema.ts'

/**
 * Single sign-on from the control plane into instances: it signs, instances check, and none of them can sign. What
 * instances need for that comes to them when their containers are made; keys that are younger they fetch.
 */
export const bridge = definePlugin({
  name: 'bridge',
  needs: ['auth', 'provisioner', 'site'],
  config: z.object({
    /** How long one key signs. */
    BRIDGE_KEY_LIFE: setting.duration('2d', '3650d').prefault('90d'),
  }),
  tables: { schema, migrations: 'plugins/bridge/migrations' },
  setup: ({ config, services, db, clock }) => {
    const { site } = services
    const seal = openSeal({ given: null, keyFile: join(site.dataRoot, '.control', 'bridge-seal-key') })
    const ring = keyRing(db, clock, seal, config.BRIDGE_KEY_LIFE)
    ring.turn()
    return {
      routes: bridgeRoutes({ ...services, clock, ring }),
      tasks: [{ name: 'turn-keys', everyMs: 3_600_000, run: async () => ring.turn() }],
      hooks: {
        // Where no owner can sign in, an instance has nobody to ask.
        ...(services.auth.provider !== null && {
          'instance-environment': () => ({
            variables: {
              LONGHOUSE_SSO_ISSUER: siteUrl(site, 'control'),
              LONGHOUSE_SSO_KEYS: JSON.stringify(ring.published()),
            },
            renewed: ['LONGHOUSE_SSO_KEYS'],
          }),
        }),
      },
    }
  },
})
