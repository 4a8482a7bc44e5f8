import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import { secretRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { openSecrets } from './secrets.ts'

/** Named values for jobs, encrypted at rest. */
export const secrets = definePlugin({
  name: 'secrets',
  needs: ['auth', 'volume'],
  asks: { 'secret-users': 'optional' },
  tables: { schema, migrations: 'runtime/secrets/migrations' },
  setup: ({ db, clock, services: { auth, volume }, hooks }) => {
    const store = openSecrets({ db, seal: volume.seal, clock })
    const users = () => hooks.optional('secret-users')?.() ?? []
    return { service: store, routes: secretRoutes({ secrets: store, users, guard: auth.signedIn, clock }) }
  },
})
