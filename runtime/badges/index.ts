import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import { badgeStore } from './badge.ts'
import './contract.ts'
import { badgeRoutes } from './routes.tsx'
import * as schema from './schema.ts'

/** Status badges of jobs, for other sites. */
export const badges = definePlugin({
  name: 'badges',
  needs: ['auth', 'jobs'],
  tables: { schema, migrations: 'runtime/badges/migrations' },
  setup: ({ db, services: { auth, jobs } }) => {
    const store = badgeStore(db)
    return { service: store, routes: badgeRoutes({ badges: store, jobs, guard: auth.signedIn }) }
  },
})
