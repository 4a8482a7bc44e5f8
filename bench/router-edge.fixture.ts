import { startEdge } from '../plugins/router/edge.fixture.ts'

/** The edge alone, as a process of its own: `router-edge.ts <port> <backend port> [other routes]`. */
const [port = '', backend = '', others = '0'] = process.argv.slice(2)
const edge = await startEdge({
  LONGHOUSE_PORT: port,
  ROUTER_INSTANCE_LIMIT: '20000',
  ROUTER_CLIENT_LIMIT: '20000',
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
process.on('SIGTERM', () => void edge.stop().then(() => process.exit(0)))
