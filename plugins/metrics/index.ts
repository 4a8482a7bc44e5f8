import { z } from 'zod'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { version } from '../../src/version.ts'
import '../auth/contract.ts'
import '../health/contract.ts'
import '../site/contract.ts'
import { programMetrics } from './program-metrics.ts'
import { metricsRoutes } from './routes.ts'
import { metricsToken } from './token.ts'

/** Figures of the control plane for Prometheus. */
export const metrics = definePlugin({
  name: 'metrics',
  needs: ['auth', 'health', 'site'],
  config: z.object({ METRICS_TOKEN: metricsToken.optional() }),
  setup({ config, services: { auth, health, site }, clock, log, metrics }) {
    const program = programMetrics({ clock, version, dataRoot: site.dataRoot })
    return {
      routes: metricsRoutes({
        admin: auth.admin,
        token: config.METRICS_TOKEN,
        read: async () => program.read(await metrics(), await health.checkAll(), log),
      }),
      stop: () => program.stop(),
    }
  },
})
