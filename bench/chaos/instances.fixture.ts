import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { listening } from '../../plugins/router/wire.fixture.ts'
import { identityPath } from '../../src/http/identity.ts'
import { bodyOf, digestOf, framesIn, receiptOf, textFrame } from './body.fixture.ts'
import type { Chance } from './chance.fixture.ts'

/** A stand-in for an instance, which can be killed like a process. */
export interface StandIn {
  id: string
  port: number
  /** Answers and tunnels in progress. */
  inProgress(): number
  connections(): number
  /** Closes every connection, some with a reset. */
  kill(chance: Chance): Promise<void>
}

export async function startStandIn(id: string, port = 0): Promise<StandIn> {
  let inProgress = 0
  const server = createServer({ keepAliveTimeout: 130_000, requestTimeout: 0 }, (request, response) => {
    response.setHeader('Longhouse-Instance', id)
    if (request.url === identityPath) {
      response.writeHead(204).end()
      return
    }
    inProgress++
    response.once('close', () => inProgress--)
    void answer(id, request, response).catch(() => response.destroy())
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    inProgress++
    socket.once('close', () => inProgress--)
    socket.on('error', () => undefined)
    echo(id, request, socket)
  })
  return { ...(await killable(server, port)), id, inProgress: () => inProgress }
}

async function answer(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { 'x-nonce': nonce, 'x-size': size = '0', 'x-delay': delay = '0', 'x-kind': kind } = request.headers
  if (Number(delay) > 0) await new Promise(resolve => setTimeout(resolve, Number(delay)))
  if (request.method === 'POST') {
    const body = receiptOf(id, String(nonce), digestOf(await buffer(request)))
    response.writeHead(200, { 'content-length': body.length }).end(body)
    return
  }
  if (kind === 'events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let i = 0; i < Number(size) && !response.destroyed; i++) {
      response.write(`data: ${id} ${nonce} ${i}\n\n`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    response.end()
    return
  }
  const body = bodyOf(id, String(nonce), Number(size))
  if (kind !== 'streamed') response.setHeader('content-length', body.length)
  response.writeHead(200)
  response.end(body)
}

function echo(id: string, request: IncomingMessage, socket: Socket): void {
  const { 'x-nonce': nonce } = request.headers
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nLonghouse-Instance: ${id}\r\n\r\n`,
  )
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const { frames, rest } = framesIn(Buffer.concat([bytes, chunk]))
    bytes = rest
    for (const { opcode, payload } of frames) {
      if (opcode === 8) socket.end(Buffer.from([0x88, 0]))
      else socket.write(textFrame(`${id} ${nonce} ${payload}`, false))
    }
  })
  socket.on('end', () => socket.end())
}

/**
 * An instance that means harm. It proves who it is most of the time, and then answers each request in a way that no instance should.
 */
export async function startHostile(id: string, chance: Chance): Promise<StandIn> {
  const proof = `HTTP/1.1 204 No Content\r\nLonghouse-Instance: ${id}\r\n\r\n`
  const named = `HTTP/1.1 200 OK\r\nLonghouse-Instance: ${id}\r\n`
  const manners: ((socket: Socket) => void)[] = [
    socket => socket.end('HTTP/1.1 200 O'),
    socket => socket.resetAndDestroy(),
    socket =>
      socket.write('HTTP/1.1 200 OK\r\nLonghouse-Instance: inst_steady_0\r\nContent-Length: 1\r\n\r\nx'),
    socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx'),
    socket => socket.end(`${named}Content-Length: 10\r\nContent-Length: 20\r\n\r\n`),
    socket => socket.write(`${named}Transfer-Encoding: chunked\r\n\r\nzz\r\n`),
    // Another answer that was not asked for.
    socket => socket.write(`${named}Content-Length: 2\r\n\r\nok${named}Content-Length: 5\r\n\r\nworse`),
    socket => socket.end(`${named}Content-Length: 1000\r\n\r\nshort`),
    socket => repeatedly(socket, 'HTTP/1.1 102 Processing\r\n\r\n', 2, 500, () => undefined),
    socket => {
      socket.write(`${named}Content-Length: 60\r\n\r\n`)
      repeatedly(socket, 'x', 10, 50, () => socket.resetAndDestroy())
    },
    socket => repeatedly(socket, 'X-Head: trickles\r\n', 10, 50, () => socket.destroy()),
    socket => socket.write(`${named}X-Long: ${'x'.repeat(200_000)}\r\n\r\n`),
    socket => socket.write(`${named}Content-Length: 2\r\n\r\nok`),
  ]
  const server = createRawServer(socket => {
    socket.on('error', () => undefined)
    let proved = false
    socket.on('data', chunk => {
      const text = chunk.toString('latin1')
      if (!/^[A-Z]+ \S+ HTTP/.test(text)) return
      if (proved || !text.includes(identityPath)) {
        chance.pick(manners)(socket)
        return
      }
      proved = true
      const luck = chance.below(12)
      if (luck === 0) socket.destroy()
      else if (luck === 1)
        socket.write('HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_steady_0\r\n\r\n')
      else socket.write(proof)
    })
  })
  return { ...(await killable(server, 0)), id, inProgress: () => 0 }
}

/** Writes `text` every so often, `times` times, as long as the connection is open. */
function repeatedly(socket: Socket, text: string, everyMs: number, times: number, then: () => void): void {
  if (socket.destroyed) return
  if (times === 0) {
    then()
    return
  }
  socket.write(text)
  setTimeout(() => repeatedly(socket, text, everyMs, times - 1, then), everyMs)
}

async function killable(server: Server | RawServer, port: number) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (port > 0) await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const kill = async (chance: Chance) => {
    const closed = new Promise(resolve => server.close(resolve))
    for (const socket of sockets) {
      if (chance.below(2) === 0) socket.resetAndDestroy()
      else socket.destroy()
    }
    await closed
  }
  return { port: port > 0 ? port : await listening(server), connections: () => sockets.size, kill }
}
