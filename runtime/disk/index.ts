import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../volume/contract.ts'
import { diskRoutes } from './routes.tsx'

/** Shows what takes the instance's disk space, and frees it. */
export const disk = definePlugin({
  name: 'disk',
  needs: ['auth', 'volume'],
  setup: ({ clock, services: { auth, volume } }) => ({
    routes: diskRoutes({ volume, guard: auth.signedIn, clock }),
  }),
})
