import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import { instanceRoutes } from './instance-routes.tsx'
import { instanceWorkRoutes } from './instance-work-routes.tsx'
import { leavingRoutes } from './leaving-routes.tsx'
import { nameRoutes } from './name-routes.tsx'

/** The owner's pages at the control plane. Accounts and instances belong to other plugins; this one stores nothing. */
export const owners = definePlugin({
  name: 'owners',
  needs: ['auth', 'provisioner', 'site'],
  setup: ({ services, clock }) => {
    const parts = { ...services, clock }
    return {
      routes: [
        ...nameRoutes(parts),
        ...instanceRoutes(parts),
        ...instanceWorkRoutes(parts),
        ...leavingRoutes(parts),
      ],
    }
  },
})
