import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { identityPath } from '../../src/http/identity.ts'
import type { Edge } from './edge.fixture.ts'

/** A real server that behaves as an instance: it names itself in every answer. */
export interface Instance {
  id: string
  port: number
  server: Server
  /** What it was asked, oldest first. */
  asked: IncomingMessage[]
  close(): Promise<void>
}

export async function startInstance(
  id: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end(id),
): Promise<Instance> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    response.setHeader('Longhouse-Instance', id)
    // What the edge asks on each fresh connection.
    if (request.method === 'HEAD' && request.url === identityPath) {
      response.writeHead(204).end()
      return
    }
    asked.push(request)
    handle(request, response)
  })
  return { id, server, asked, port: await listening(server), close: () => closed(server) }
}

/** Makes an instance the one that a subdomain names. */
export function route(edge: Edge, subdomain: string, instance: { id: string; port: number }): void {
  edge.router.set(subdomain, {
    state: 'ready',
    instanceId: instance.id,
    host: '127.0.0.1',
    port: instance.port,
  })
}

export async function listening(server: Server | import('node:net').Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

async function closed(server: Server): Promise<void> {
  const done = new Promise(resolve => server.close(resolve))
  server.closeAllConnections()
  await done
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: string
  message: IncomingMessage
}

/** Asks the edge for a host and takes the whole answer. */
export async function ask(
  edge: { port: number; settled?(): Promise<unknown> },
  host: string,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  await edge.settled?.()
  const outgoing = request({
    host: '127.0.0.1',
    port: edge.port,
    method: options.method ?? 'GET',
    path: options.path ?? '/',
    headers: { host, ...options.headers },
    agent: false,
  })
  outgoing.end(options.body)
  const [message] = (await once(outgoing, 'response')) as [IncomingMessage]
  const body = await text(message)
  return { status: message.statusCode ?? 0, headers: message.headers, body, message }
}

/** A plain connection to the edge that remembers all it was sent. */
export interface Wire {
  socket: Socket
  received(): string
  write(text: string | Buffer): void
  /** Resolves when what was received matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with all that was received when the connection has ended. */
  ended(): Promise<string>
}

export function wire(edge: { port: number; settled?(): Promise<unknown> }, first = ''): Wire {
  const socket = connect(edge.port, '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1')
  socket.on('error', () => undefined)
  socket.on('data', (chunk: string) => {
    received += chunk
  })
  const over = once(socket, 'close')
  // What is written before the routes are in effect is written then.
  let early: (string | Buffer)[] | null = edge.settled ? [] : null
  void edge.settled?.().then(() => {
    for (const text of early ?? []) socket.write(text as string, 'latin1')
    early = null
  })
  const write = (text: string | Buffer) => {
    if (early) early.push(text)
    else socket.write(text as string, 'latin1')
  }
  write(first)
  return {
    socket,
    received: () => received,
    write,
    until: pattern =>
      eventually(
        () => pattern.exec(received) ?? undefined,
        () => `${pattern} in ${received}`,
      ),
    ended: async () => {
      await over
      return received
    },
  }
}

/** Asks again until there is an answer, and gives up loudly after a minute. */
export async function eventually<T>(
  look: () => T | undefined | false | null,
  what: () => string = () => 'what was waited for',
): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const found = look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`never came: ${what()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
