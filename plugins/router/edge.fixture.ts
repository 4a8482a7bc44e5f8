import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boot } from '../../control-plane/boot.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import { definePlugin, type Events } from '../../src/kernel/control-plane.ts'
import type { Plugin, PluginMetrics } from '../../src/kernel/plugin.ts'
import { silentLog } from '../../src/log.ts'
import { exposition } from '../../src/metrics/exposition.ts'
import type { Destination, RouterService } from './contract.ts'
import { router } from './index.ts'

export interface Edge {
  port: number
  /** For HTTPS; null without it. */
  securePort: number | null
  dataRoot: string
  router: RouterService
  /** With workers: resolves when every change of the routes so far is in effect. */
  settled?(): Promise<unknown>
  /** What the pages were asked for so far: method and path. */
  pagesAsked: string[]
  /** What the router announced so far. */
  misrouted: Events['instance-misrouted'][]
  /** What the router reports of itself: each sample by its name and labels. */
  figures(): Promise<Map<string, number>>
  concerns(): Promise<readonly Concern[]>
  runOnce(task: string): Promise<void>
  stop(): Promise<void>
}

/** A control plane that is nothing but the router, on a port of the system's choice, for tests and benchmarks. */
export async function startEdge(
  env: Record<string, string> = {},
  clock: Clock = systemClock,
  more: readonly Plugin[] = [],
  /** What is routed when it starts to listen, as records would have it. */
  routed: Readonly<Record<string, Destination>> = {},
): Promise<Edge> {
  const dataRoot = env.LONGHOUSE_DATA_ROOT ?? mkdtempSync(join(tmpdir(), 'longhouse-edge-'))
  const misrouted: Edge['misrouted'] = []
  const pagesAsked: string[] = []
  let service: RouterService | undefined
  let metrics: () => Promise<readonly PluginMetrics[]> = async () => []
  let concerns: () => Promise<readonly Concern[]> = async () => []
  const hasWorkers = env.ROUTER_WORKERS !== undefined && env.ROUTER_WORKERS !== '0'
  const steering = definePlugin({
    name: 'steering',
    needs: ['router'],
    setup: context => {
      service = context.services.router
      for (const [subdomain, to] of Object.entries(routed)) service.set(subdomain, to)
      metrics = context.metrics
      concerns = context.concerns
      return { on: { 'instance-misrouted': event => void misrouted.push(event) } }
    },
  })
  const plugins: Plugin[] = [router, steering, ...more]
  const program = await boot({
    plugins,
    env: { LONGHOUSE_PORT: '0', LONGHOUSE_DATA_ROOT: dataRoot, ...env },
    log: silentLog,
    clock,
    web: {
      info: { title: 'Edge', version: '0', description: 'The router alone' },
      renderer: () => (_, next) => next(),
      problemPage: (c, problem) => c.text(`control: ${problem.title}`, problem.status as 404),
      mount: app => {
        app.use('*', async (c, next) => {
          pagesAsked.push(`${c.req.method} ${c.req.path}`)
          await next()
        })
        app.all('/any', async c => c.text(`${c.req.method} ${await c.req.text()}`))
        app.get('/health', c => c.json({ status: 'ok' }))
        app.get('/slow', async c => {
          await systemClock.sleep(3000)
          return c.text('at last')
        })
        app.get('/', c => c.text('the control plane'))
        app.post('/', async c => c.text(await c.req.text()))
        app.get('/client', c => c.text(c.get('client')))
      },
    },
  })
  const port = await program.listen()
  if (!service) throw new Error('the router offers no service')
  return {
    port,
    securePort: program.site.tls?.port ?? null,
    dataRoot,
    router: service,
    // A question to the workers is answered after the changes before it.
    ...(hasWorkers && { settled: metrics }),
    pagesAsked,
    misrouted,
    figures: async () => samplesOf(await metrics()),
    concerns,
    runOnce: program.runOnce,
    stop: async () => {
      await program.stop()
      if (env.LONGHOUSE_DATA_ROOT === undefined) rmSync(dataRoot, { recursive: true, force: true })
    },
  }
}

function samplesOf(reports: readonly PluginMetrics[]): Map<string, number> {
  const lines = exposition(reports.flatMap(({ metrics }) => metrics))
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
  return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}
