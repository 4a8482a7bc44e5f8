import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../site/contract.ts'
import { overviewRoutes } from './routes.tsx'

/** The operator's first page: what needs them, how full the host is, what was done lately. */
export const overview = definePlugin({
  name: 'overview',
  needs: ['auth', 'provisioner', 'site'],
  setup: ({ clock, services: { auth, provisioner, site }, concerns }) => ({
    routes: overviewRoutes({ admin: auth.admin, clock, provisioner, dataRoot: site.dataRoot, concerns }),
  }),
})
