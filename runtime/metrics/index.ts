import { definePlugin } from '../../src/kernel/runtime.ts'
import { version } from '../../src/version.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import { metricsRoute } from './routes.ts'

/** Metrics for Prometheus. */
export const metrics = definePlugin({
  name: 'metrics',
  needs: ['auth', 'jobs'],
  setup: ({ clock, services: { auth, jobs } }) => ({
    routes: [metricsRoute({ jobs, guard: auth.signedIn, clock, version })],
  }),
})
