import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../badges/contract.ts'
import '../jobs/contract.ts'
import '../state/contract.ts'
import '../volume/contract.ts'
import { pageRoutes } from './routes.tsx'

/** The first page, and the page of each job. */
export const pages = definePlugin({
  name: 'pages',
  needs: ['auth', 'badges', 'jobs', 'state', 'volume'],
  setup: ({ clock, services: { volume, ...services }, checks }) => ({
    routes: pageRoutes({
      ...services,
      checks,
      clock,
      repoFolder: volume.folders.jobsDir,
      address: volume.address,
    }),
  }),
})
