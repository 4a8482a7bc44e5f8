import { startEdge } from '../plugins/router/edge.fixture.ts'

/**
 * The edge alone, as a process of its own: `router-edge.ts <port> <backend port> [other routes] [workers] [busy ms]`. The control plane
 * is busy for so long in each second, as with a slow query. Settings of its environment that begin with `ROUTER_` count.
 */
const [port = '', backend = '', others = '0', workers = '0', busyMs = '0'] = process.argv.slice(2)
const edge = await startEdge({
  LONGHOUSE_PORT: port,
  ROUTER_INSTANCE_LIMIT: '20000',
  ROUTER_CLIENT_LIMIT: '20000',
  ROUTER_WORKERS: workers,
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = '']) =>
      name.startsWith('ROUTER_') ? [[name, value]] : [],
    ),
  ),
})
for (let i = 0; i < Number(others); i++) {
  edge.router.set(`other-${i}`, { state: 'ready', instanceId: `inst_${i}`, host: '127.0.0.1', port: 9 })
}
edge.router.set('bench', {
  state: 'ready',
  instanceId: 'inst_bench',
  host: '127.0.0.1',
  port: Number(backend),
})
if (busyMs !== '0')
  setInterval(() => {
    const end = performance.now() + Number(busyMs)
    while (performance.now() < end);
  }, 1000)
process.on('SIGTERM', () => void edge.stop().then(() => process.exit(0)))
