import { join } from 'node:path'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { siteUrl } from '../site/contract.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../router/contract.ts'
import { keyRing } from './key-ring.ts'
import { ssoRoutes } from './routes.ts'
import * as schema from './schema.ts'
import { ssoConfig } from './settings.ts'

/**
 * Single sign-on from the control plane into instances. The control plane signs tokens; instances can only verify them.
 * An instance gets the public keys when its container is created, and fetches keys that are newer than that.
 */
export const sso = definePlugin({
  name: 'sso',
  needs: ['auth', 'provisioner', 'router', 'site'],
  config: ssoConfig,
  // The plugin was called `bridge`; its tables and files keep that name.
  tables: { schema, migrations: 'plugins/sso/migrations', part: 'bridge' },
  setup: ({ config, services, db, clock }) => {
    const { site } = services
    const seal = openSeal({ given: null, keyFile: join(site.dataRoot, '.control', 'bridge-seal-key') })
    const ring = keyRing(db, clock, seal, config.keyLifeMs)
    ring.rotate()
    return {
      routes: ssoRoutes({ ...services, clock, ring }),
      tasks: [{ name: 'rotate-keys', everyMs: 3_600_000, run: async () => ring.rotate() }],
      hooks: {
        // Without a sign-in provider there are no owners to sign in.
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
