import { systemClock } from '../../../src/clock.ts'
import type { Destination } from '../contract.ts'
import { startEdge } from '../edge.fixture.ts'

type Message = { subdomain: string; destination: Destination } | 'figures'

/** The control plane of `startControlPlane`: sets the routes that it is sent, and answers when they are in effect, or with its figures. */
const [env = '{}', routed = '{}'] = process.argv.slice(2)
const edge = await startEdge(JSON.parse(env), systemClock, [], JSON.parse(routed))
process.on('message', (message: Message) => {
  if (message === 'figures') {
    void edge.figures().then(figures => process.send?.([...figures]))
    return
  }
  const { subdomain, destination } = message
  edge.router.set(subdomain, destination)
  void edge.settled?.().then(() => process.send?.({ set: subdomain }))
})
process.on('SIGTERM', () => void edge.stop().then(() => process.exit(0)))
process.send?.({ port: edge.port })
