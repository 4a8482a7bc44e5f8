import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { checkConcerns, runChecks } from './checks.ts'
import './contract.ts'
import { createPoller } from './poller.ts'
import { healthRoutes } from './routes.ts'

export const health = definePlugin({
  name: 'health',
  needs: ['provisioner'],
  config: z.object({
    HEALTH_INTERVAL: setting.duration('50ms', '1h').prefault('5s'),
    HEALTH_TIMEOUT: setting.duration('50ms', '1m').prefault('2s'),
    HEALTH_CONCURRENCY: setting.integer(1, 1000).prefault('64'),
  }),
  setup: ({ config, services: { provisioner }, clock, log, checks }) => {
    const poller = createPoller({
      provisioner,
      clock,
      timeoutMs: config.HEALTH_TIMEOUT,
      atOnce: config.HEALTH_CONCURRENCY,
    })
    const checkAll = () => runChecks(checks())
    return {
      service: { pollOnce: poller.poll, checkAll },
      routes: healthRoutes(checkAll),
      metrics: () => poller.metrics(),
      concernKinds: ['check-failing'],
      concerns: async () => checkConcerns(await checkAll()),
      tasks: [
        {
          name: 'poll',
          everyMs: config.HEALTH_INTERVAL,
          run: async () => {
            poller.poll().catch(error => log.error({ err: error }, 'a look at the instances failed'))
          },
        },
      ],
      on: { 'instance-started': ({ instanceId }) => poller.follow(instanceId) },
      stop: () => poller.stop(),
    }
  },
})
