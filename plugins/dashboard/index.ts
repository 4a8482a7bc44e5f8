import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import { instanceRoutes } from './instance-routes.tsx'
import { leavingRoutes } from './leaving-routes.tsx'
import { nameRoutes } from './name-routes.tsx'

/** What an owner sees and does at the control plane. It keeps nothing: accounts and instances are others'. */
export const dashboard = definePlugin({
  name: 'dashboard',
  needs: ['auth', 'provisioner', 'site'],
  setup: ({ services, clock }) => {
    const parts = { ...services, clock }
    return { routes: [...nameRoutes(parts), ...instanceRoutes(parts), ...leavingRoutes(parts)] }
  },
})
