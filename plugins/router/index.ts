import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import { accessLogConfig, accessLogSettings } from './access-log/config.ts'
import './contract.ts'
import { Edge } from './edge.ts'
import { EdgeTotals } from './figures/totals.ts'
import { Routes } from './routes.ts'
import type { EdgeSettings } from './settings.ts'

/** Sends requests for `<subdomain>.<domain>` to their instances, before the app sees them. */
export const router = definePlugin({
  name: 'router',
  needs: ['site'],
  config: z.object({
    ROUTER_RESPONSE_TIMEOUT: setting.duration().prefault('60s'),
    ROUTER_HOLD_TIMEOUT: setting.duration().prefault('10s'),
    ROUTER_HOLD_LIMIT: setting.integer(0, 100_000).prefault('1000'),
    ROUTER_HOLD_BYTES: setting.size('1m', '64g').prefault('64m'),
    ROUTER_CLIENT_LIMIT: setting.integer(1, 100_000).prefault('256'),
    ROUTER_INSTANCE_LIMIT: setting.integer(1, 100_000).prefault('1024'),
    ROUTER_METRICS_INSTANCES: setting.integer(0, 1000).prefault('20'),
    ROUTER_SERVER_TIMING: z.enum(['off', 'asked', 'on'], 'must be off, asked or on').default('asked'),
    ...accessLogConfig,
  }),
  setup({ config, services: { site }, clock, log, emit }) {
    const settings: EdgeSettings = {
      site,
      routes: site.routerMode !== 'labels',
      responseTimeoutMs: config.ROUTER_RESPONSE_TIMEOUT,
      holdMs: config.ROUTER_HOLD_TIMEOUT,
      holdLimit: config.ROUTER_HOLD_LIMIT,
      holdBytes: config.ROUTER_HOLD_BYTES,
      limits: { perClient: config.ROUTER_CLIENT_LIMIT, perInstance: config.ROUTER_INSTANCE_LIMIT },
      accessLog: accessLogSettings(config),
      serverTiming: config.ROUTER_SERVER_TIMING,
    }
    const edge = new Edge({
      ...settings,
      clock,
      log,
      misrouted: event => emit('instance-misrouted', event),
    })
    const totals = new EdgeTotals({ series: config.ROUTER_METRICS_INSTANCES, clock })
    const counted = () => {
      totals.add(edge.report())
      return totals
    }
    return {
      service: new Routes({
        changed: change => edge.apply(change),
        traffic: () => counted().instances(),
      }),
      hooks: {
        'take-request': (request, response) => edge.intercept(request, response),
        'take-upgrade': (request, socket, head) => edge.upgrade(request, socket, head),
      },
      metrics: () => counted().metrics(),
      drain: () => edge.drain({ graceMs: site.drainGraceMs }),
      stop: () => edge.stop(),
    }
  },
})
