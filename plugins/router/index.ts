import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import { accessLogConfig, accessLogSettings } from './access-log/config.ts'
import './contract.ts'
import { Edge } from './edge.ts'
import { EdgeTotals } from './figures/totals.ts'
import { Routes } from './routes.ts'
import type { EdgeOptions, EdgeSettings } from './settings.ts'
import { refuseOtherEdge } from './workers/other-edge.ts'
import { RemoteEdge } from './workers/remote-edge.ts'

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
    ROUTER_CLIENT_CONNECTIONS: setting.integer(0, 1_000_000).prefault('4096'),
    ROUTER_CLIENT_RATE: setting.integer(0, 1_000_000).prefault('0'),
    ROUTER_INSTANCE_RATE: setting.integer(0, 1_000_000).prefault('0'),
    ROUTER_BODY_LIMIT: setting.sizeOrNone('1k', '1024g').prefault('0'),
    ROUTER_METRICS_INSTANCES: setting.integer(0, 1000).prefault('20'),
    ROUTER_SERVER_TIMING: z.enum(['off', 'asked', 'on'], 'must be off, asked or on').default('asked'),
    ...accessLogConfig,
    ROUTER_WORKERS: setting.integer(0, 64).optional(),
    ROUTER_EDGE: z.enum(['own', 'service'], 'must be own or service').default('own'),
  }),
  setup({ config, services: { site }, clock, log, emit }) {
    const settings: EdgeSettings = {
      site,
      routes: site.routerMode !== 'labels',
      responseTimeoutMs: config.ROUTER_RESPONSE_TIMEOUT,
      holdMs: config.ROUTER_HOLD_TIMEOUT,
      holdLimit: config.ROUTER_HOLD_LIMIT,
      holdBytes: config.ROUTER_HOLD_BYTES,
      limits: {
        perClient: config.ROUTER_CLIENT_LIMIT,
        perInstance: config.ROUTER_INSTANCE_LIMIT,
        clientRate: config.ROUTER_CLIENT_RATE,
        instanceRate: config.ROUTER_INSTANCE_RATE,
        bodyBytes: config.ROUTER_BODY_LIMIT,
      },
      connectionsPerClient: config.ROUTER_CLIENT_CONNECTIONS,
      accessLog: accessLogSettings(config),
      serverTiming: config.ROUTER_SERVER_TIMING,
    }
    const options: EdgeOptions = {
      ...settings,
      clock,
      log,
      misrouted: event => emit('instance-misrouted', event),
    }
    const totals = new EdgeTotals({ series: config.ROUTER_METRICS_INSTANCES, clock })
    // A laptop needs one process less; another proxy's edge needs none of ours.
    const worthIt = site.production && site.routerMode !== 'labels'
    const { ROUTER_WORKERS: workers = worthIt ? 1 : 0, ROUTER_EDGE: run } = config
    return workers === 0
      ? inThisProcess(options, totals)
      : inProcessesOfItsOwn(options, settings, totals, { workers, run })
  },
})

function inThisProcess(options: EdgeOptions, totals: EdgeTotals) {
  const edge = new Edge(options)
  const counted = () => {
    totals.add(edge.report())
    return totals
  }
  return {
    service: new Routes({ changed: change => edge.apply(change), traffic: () => counted().instances() }),
    hooks: {
      'take-connection': edge.takeConnection.bind(edge),
      'take-request': edge.intercept.bind(edge),
      'take-upgrade': edge.upgrade.bind(edge),
    },
    metrics: () => counted().metrics(),
    start: () => refuseOtherEdge(options.site, options.log),
    drain: () => edge.drain({ graceMs: options.site.drainGraceMs }),
    stop: () => edge.stop(),
  }
}

function inProcessesOfItsOwn(
  { clock, log, misrouted }: EdgeOptions,
  settings: EdgeSettings,
  totals: EdgeTotals,
  how: { workers: number; run: 'own' | 'service' },
) {
  const routes = new Routes({ changed: change => edge.change(change), traffic: () => edge.traffic() })
  const edge = new RemoteEdge({
    ...how,
    settings,
    totals,
    clock,
    log,
    misrouted,
    routes: routes.table,
  })
  return {
    service: routes,
    hooks: { 'open-listener': edge.open.bind(edge) },
    tasks: [{ name: 'compare-edge', everyMs: 60_000, run: () => edge.watch.compare() }],
    metrics: () => edge.watch.metrics(),
    concernKinds: ['edge'],
    concerns: () => edge.watch.concerns(),
  }
}
