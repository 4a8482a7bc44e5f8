import { definePlugin } from '../../src/kernel/runtime.ts'
import { version } from '../../src/version.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import { healthRoute, instanceHealth } from './routes.ts'

/** Reports whether the instance can do its work. */
export const health = definePlugin({
  name: 'health',
  needs: ['auth', 'jobs', 'volume'],
  setup: ({ log, services: { auth, jobs, volume }, checks }) => {
    const service = instanceHealth({ instanceId: volume.instanceId, version, jobs, checks, log })
    return { service, routes: [healthRoute(service, auth.isAuthenticated)] }
  },
})
