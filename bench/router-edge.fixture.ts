import { startEdge } from '../plugins/router/edge.fixture.ts'

/** The edge alone, as a process of its own: `router-edge.ts <port> <backend port>`. */
const [port = '', backend = ''] = process.argv.slice(2)
const edge = await startEdge({ LONGHOUSE_PORT: port })
edge.router.set('bench', {
  state: 'ready',
  instanceId: 'inst_bench',
  host: '127.0.0.1',
  port: Number(backend),
})
process.on('SIGTERM', () => void edge.stop().then(() => process.exit(0)))
