import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boot } from '../../control-plane/boot.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { definePlugin, type Events } from '../../src/kernel/control-plane.ts'
import type { Plugin } from '../../src/kernel/plugin.ts'
import { silentLog } from '../../src/log.ts'
import type { RouterService } from './contract.ts'
import { router } from './index.ts'

export interface Edge {
  port: number
  /** For HTTPS; null without it. */
  securePort: number | null
  router: RouterService
  /** What the router announced so far. */
  misrouted: Events['instance-misrouted'][]
  stop(): Promise<void>
}

/** A control plane that is nothing but the router, on a port of the system's choice, for tests and benchmarks. */
export async function startEdge(
  env: Record<string, string> = {},
  clock: Clock = systemClock,
  more: readonly Plugin[] = [],
): Promise<Edge> {
  const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-edge-'))
  const misrouted: Edge['misrouted'] = []
  let service: RouterService | undefined
  const steering = definePlugin({
    name: 'steering',
    needs: ['router'],
    setup: ({ services }) => {
      service = services.router
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
        app.get('/health', c => c.json({ status: 'ok' }))
        app.get('/', c => c.text('the control plane'))
        app.post('/', async c => c.text(await c.req.text()))
      },
    },
  })
  const port = await program.listen()
  if (!service) throw new Error('the router offers no service')
  return {
    port,
    securePort: program.site.tls?.port ?? null,
    router: service,
    misrouted,
    stop: async () => {
      await program.stop()
      rmSync(dataRoot, { recursive: true, force: true })
    },
  }
}
