import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import './contract.ts'
import { stateRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { openState } from './state.ts'

/** State that jobs keep between runs. */
export const state = definePlugin({
  name: 'state',
  needs: ['auth'],
  asks: { 'require-job': 'optional' },
  tables: { schema, migrations: 'runtime/state/migrations' },
  setup: ({ db, clock, services: { auth }, hooks }) => {
    const store = openState({ db, clock })
    const requireJob = (id: string) => hooks.optional('require-job')?.(id)
    return {
      service: store,
      routes: stateRoutes({ state: store, requireJob, guard: auth.signedIn }),
      stop: () => store.close(),
    }
  },
})
