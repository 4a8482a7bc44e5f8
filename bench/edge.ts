import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { identityPath } from '../src/http/identity.ts'
import {
  type Candidate,
  caddy,
  freePort,
  type Load,
  type LoadOptions,
  load,
  longhouse,
  measure,
  median,
  nginx,
  type Started,
  startLonghouse,
  startProxies,
  stopAll,
} from './proxies.fixture.ts'

/**
 * What the edge does with large answers, new connections, connections that stay open and many routes, and how much time it
 * adds to an answer; beside Caddy and nginx where that can be compared. Each proxy has one core, its backend and its clients
 * the other.
 */
const idleConnections = 5000
const otherRoutes = 10_000
const manyRoutes: Candidate = {
  name: `longhouse, ${otherRoutes} other routes`,
  start: (port, backend) => startLonghouse(port, backend, [String(otherRoutes)]),
}

/** Programs that V8 compiled at other moments differ by a tenth. */
const ofEach = 3

try {
  const { backend, started: peers } = await startProxies([longhouse, caddy, nginx])
  compare('1 MB answers, 8 connections', peers, { seconds: 3, connections: 8, path: '/large' })
  compare('a new connection for each request, 32 at a time', peers, {
    seconds: 3,
    connections: 32,
    fresh: true,
  })
  const both = Array.from({ length: ofEach }, () => [longhouse, manyRoutes]).flat()
  const { started } = await startProxies(both)
  compare(`one route, and many, ${ofEach} programs each`, started, { seconds: 2, connections: 64 })
  await addedLatency(backend, peers)
  await idleTunnels()
} finally {
  await stopAll()
}

function compare(title: string, proxies: readonly Started[], options: LoadOptions, rounds = 5): void {
  for (const { port } of proxies) load(port, { ...options, seconds: 2 })
  const results = new Map<string, Load[]>()
  for (let round = 0; round < rounds; round++) {
    for (const proxy of proxies) {
      const loads = results.get(proxy.name) ?? []
      results.set(proxy.name, [...loads, measure(proxy, options)])
    }
  }
  console.log(`\n${title}: medians of ${rounds} rounds`)
  const rateOf = (loads: readonly Load[]) => median(loads.map(({ rate }) => rate))
  const first = rateOf(results.values().next().value ?? [])
  for (const [name, loads] of results) {
    const rate = rateOf(loads)
    const cpuUs = median(loads.map(each => each.cpuUs))
    console.log(
      `${name.padEnd(32)} ${Math.round(rate)} req/s, ${Math.round(cpuUs)} µs CPU; longhouse is ${(first / rate).toFixed(2)} ×`,
    )
  }
}

/** What a proxy adds to an answer at 1,000 requests a second, which are sent whether or not the others were answered. */
async function addedLatency(backend: number, proxies: readonly Started[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const targets = [{ name: 'the backend alone', port: backend }, ...proxies]
  const times = targets.map(() => [] as number[])
  for (let round = 0; round < 6; round++) {
    for (const [i, { port }] of targets.entries()) {
      const some = await atRate(agent, port, { perSecond: 1000, seconds: 2 })
      // The first round opens the connections.
      if (round > 0) times[i]?.push(...some)
    }
  }
  agent.destroy()
  console.log('\nlatency at 1,000 requests a second, in ms (p50, p99), and what was added')
  const [base = []] = times
  for (const [i, { name }] of targets.entries()) {
    const some = times[i] ?? []
    const figures = [0.5, 0.99].map(part => quantile(some, part))
    const added = [0.5, 0.99].map(part => quantile(some, part) - quantile(base, part))
    console.log(`${name.padEnd(32)} ${inMs(figures)}   + ${inMs(added)}`)
  }
}

async function atRate(
  agent: Agent,
  port: number,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<number[]> {
  const times: number[] = []
  const pending: Promise<void>[] = []
  const begin = performance.now()
  for (let sent = 0; sent < perSecond * seconds; ) {
    const due = Math.min(
      perSecond * seconds,
      Math.floor(((performance.now() - begin) / 1000) * perSecond) + 1,
    )
    for (; sent < due; sent++) {
      const at = performance.now()
      const outgoing = request({ port, agent, headers: { host: 'bench.localhost' } }).end()
      pending.push(
        once(outgoing, 'response').then(async ([answer]) => {
          answer.resume()
          await once(answer, 'end')
          times.push(performance.now() - at)
        }),
      )
    }
    await sleep(1)
  }
  await Promise.all(pending)
  return times
}

/** What a connection that is open and silent holds in the edge's memory. */
async function idleTunnels(): Promise<void> {
  const sockets: Socket[] = []
  const instance = createServer((asked, response) => {
    response.setHeader('Longhouse-Instance', 'inst_bench')
    if (asked.method === 'HEAD' && asked.url === identityPath) response.writeHead(204)
    response.end()
  })
  instance.on('upgrade', (_, socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
  })
  instance.listen(0, '127.0.0.1')
  await once(instance, 'listening')
  const port = await freePort()
  const child = await startLonghouse(port, (instance.address() as AddressInfo).port, [], '0', {
    ROUTER_CLIENT_CONNECTIONS: '0',
  })
  try {
    // The first hundred are for what is allocated once.
    await openTunnels(port, 100, sockets)
    const before = residentBytes(child.pid ?? 0)
    await openTunnels(port, idleConnections, sockets)
    await sleep(2000)
    const each = (residentBytes(child.pid ?? 0) - before) / idleConnections
    console.log(`\n${idleConnections} open WebSockets: ${(each / 1024).toFixed(1)} KiB each`)
  } finally {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGTERM')
    await once(child, 'exit')
    instance.close()
  }
}

async function openTunnels(port: number, count: number, sockets: Socket[]): Promise<void> {
  const head =
    'GET / HTTP/1.1\r\nHost: bench.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  for (let opened = 0; opened < count; opened += 50) {
    const some = Array.from({ length: Math.min(50, count - opened) }, async () => {
      const socket = await reach(port)
      sockets.push(socket)
      socket.write(head)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      if (!answer.toString('latin1').startsWith('HTTP/1.1 101'))
        throw new Error(`a WebSocket was refused: ${answer.toString('latin1').slice(0, 200)}`)
    })
    await Promise.all(some)
  }
}

/** A connection, as soon as someone listens. */
async function reach(port: number): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if (attempt > 200) throw error
      await sleep(50)
    }
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

function quantile(figures: readonly number[], part: number): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length * part)] ?? 0
}

function inMs(figures: readonly number[]): string {
  return figures.map(figure => figure.toFixed(2)).join(', ')
}
