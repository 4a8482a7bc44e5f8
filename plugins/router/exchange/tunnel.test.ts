import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, afterEach, before, describe, it } from 'node:test'
import { eventually as until } from '../../../src/testing/eventually.ts'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, eventually, type Instance, route, startInstance, wire } from '../wire.fixture.ts'

const upgrade = (host: string, more = '') =>
  `GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${more}\r\n`

/** Speaks `echo`, which returns every byte, and enough WebSocket to return every frame. */
function speakEcho(instance: Instance, id = instance.id): { open: Set<Duplex>; asked: IncomingMessage[] } {
  const open = new Set<Duplex>()
  const asked: IncomingMessage[] = []
  instance.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(request)
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    const key = request.headers['sec-websocket-key']
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: ${id}\r\nConnection: Upgrade\r\n` +
        `Upgrade: ${request.headers.upgrade}\r\n${key ? `Sec-WebSocket-Accept: ${accept}\r\n` : ''}\r\n`,
    )
    socket.on('data', (data: Buffer) => {
      socket.write(key ? unmasked(data) : data)
      if (key && data[0] === closeFrame) socket.end()
    })
    if (head.length > 0) socket.write(head)
    socket.on('end', () => socket.end())
  })
  return { open, asked }
}

const closeFrame = 0x88

/** A client's single short frame as a server sends it: with the same head, without the mask. */
function unmasked(frame: Buffer): Buffer {
  const length = (frame[1] ?? 0) & 127
  const mask = frame.subarray(2, 6)
  const payload = frame.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0))
  return Buffer.concat([Buffer.from([frame[0] ?? 0, length]), payload])
}

let edge: Edge
let instance: Instance
let echo: ReturnType<typeof speakEcho>

before(async () => {
  edge = await startEdge()
  instance = await startInstance('inst_a')
  echo = speakEcho(instance)
  route(edge, 'a', instance)
})
afterEach(async () => {
  route(edge, 'a', instance)
  await eventually(() => echo.open.size === 0)
})
after(async () => {
  await edge.stop()
  await instance.close()
})

it('tunnels carry a WebSocket both ways', async () => {
  // The client writes Host from the address that it connects to, so the address has to be an instance's name.
  const edge = await startEdge({ LONGHOUSE_DOMAIN: '0.0.1' })
  route(edge, '127', instance)
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/live?x=1`)
  const got: unknown[] = []
  socket.addEventListener('message', event => got.push(event.data))
  await eventually(() => socket.readyState === WebSocket.OPEN)
  socket.send('grüß dich')
  await eventually(() => got.length === 1)
  socket.send('again')
  await eventually(() => got.length === 2)
  assert.deepEqual(got, ['grüß dich', 'again'])
  const asked = echo.asked.at(-1)
  assert.equal(asked?.url, '/live?x=1')
  assert.equal(asked?.headers['longhouse-instance'], 'inst_a')
  assert.equal(asked?.headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(asked?.headers['x-forwarded-host'], `127.0.0.1:${edge.port}`)
  socket.close()
  await eventually(() => socket.readyState === WebSocket.CLOSED)
  await edge.stop()
})

it('tunnels carry any protocol, early bytes and a half-closed end', async () => {
  const line = wire(edge, `${upgrade('a.localhost')}early `)
  await line.until(/^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*Upgrade: echo\r\n[\s\S]*early /)
  assert.doesNotMatch(line.received(), /Longhouse-Instance/i)
  line.write('late')
  line.socket.end()
  assert.match(await line.ended(), /\r\n\r\nearly late$/)
})

it('tunnels end on both sides when one goes', async () => {
  const mine = wire(edge, upgrade('a.localhost'))
  await mine.until(/101/)
  mine.socket.resetAndDestroy()
  await eventually(() => echo.open.size === 0)

  const theirs = wire(edge, upgrade('a.localhost'))
  await theirs.until(/101/)
  for (const socket of echo.open) (socket as Socket).resetAndDestroy()
  await theirs.ended()
})

it('tunnels are refused in HTTP', async () => {
  edge.router.set('b', { state: 'stopped', instanceId: 'inst_b' })
  assert.match(await wire(edge, upgrade('b.localhost')).ended(), /^HTTP\/1\.1 503 [\s\S]*instance-stopped/)
  assert.match(await wire(edge, upgrade('nobody.localhost')).ended(), /^HTTP\/1\.1 404 /)
  assert.match(await wire(edge, upgrade('10.0.0.1')).ended(), /^HTTP\/1\.1 404 /)
  assert.match(await wire(edge, upgrade('control.localhost')).ended(), /^HTTP\/1\.1 400 /)
  assert.match(await wire(edge, upgrade('a.localhost\r\nHost: b.localhost')).ended(), /^HTTP\/1\.1 400 /)
  assert.match(await wire(edge, upgrade('a.localhost', 'Content-Length: 2\r\n')).ended(), /^HTTP\/1\.1 400 /)
})

it('tunnels pass on the answer of an instance that refuses the upgrade', async () => {
  const plain = await startInstance('inst_p', (_, response) => response.writeHead(426).end('no such thing'))
  route(edge, 'p', plain)
  const answer = await wire(edge, upgrade('p.localhost')).ended()
  assert.match(answer, /^HTTP\/1\.1 426 [\s\S]*Connection: close\r\n[\s\S]*no such thing/)
  await plain.close()
  assert.match(await wire(edge, upgrade('p.localhost')).ended(), /^HTTP\/1\.1 502 /)
})

it('tunnels are never joined to another instance', async () => {
  const stranger = await startInstance('inst_x')
  speakEcho(stranger, 'inst_x')
  route(edge, 'x', { id: 'inst_expected', port: stranger.port })
  const answer = await wire(edge, `${upgrade('x.localhost')}early`).ended()
  assert.match(answer, /^HTTP\/1\.1 502 [\s\S]*instance-misrouted/)
  assert.ok(edge.misrouted.some(event => event.instanceId === 'inst_expected'))
  await stranger.close()
})

it('tunnels are cut when the instance moves, stops or is removed, and stay while it is only unhealthy', async () => {
  const ready = { state: 'ready', instanceId: 'inst_a', host: '127.0.0.1', port: instance.port } as const
  for (const change of [
    () => edge.router.set('a', { ...ready, host: 'localhost' }),
    () => edge.router.set('a', { state: 'stopped', instanceId: 'inst_a' }),
    () => edge.router.remove('a'),
  ]) {
    edge.router.set('a', ready)
    const line = wire(edge, upgrade('a.localhost'))
    await line.until(/101/)
    edge.router.set('a', { state: 'unhealthy', instanceId: 'inst_a' })
    edge.router.set('a', ready)
    line.write('still here')
    await line.until(/still here/)
    change()
    await line.ended()
  }
})

it('tunnels offered for HTTP/2 are ordinary requests', async () => {
  const h2c = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQ' }
  const reply = await ask(edge, 'a.localhost', { headers: h2c })
  assert.equal(reply.body, 'inst_a')
  const { headers } = instance.asked.at(-1) as IncomingMessage
  assert.equal(headers.upgrade, undefined)
  assert.equal(headers['http2-settings'], undefined)
  assert.equal((await ask(edge, 'control.localhost', { headers: h2c })).body, 'the control plane')
})

describe('stopping', () => {
  it('leaves no connection behind, including tunnels and event streams', async () => {
    const edge = await startEdge()
    const instance = await startInstance('inst_a', (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: 1\n\n')
    })
    const echo = speakEcho(instance)
    route(edge, 'a', instance)
    const tunnel = wire(edge, upgrade('a.localhost'))
    const events = wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
    await tunnel.until(/101/)
    await events.until(/data: 1/)
    await edge.stop()
    await tunnel.ended()
    await events.ended()
    await eventually(() => echo.open.size === 0)
    const connections = () =>
      new Promise<number>(resolve => instance.server.getConnections((_, n) => resolve(n)))
    await until('the instance has no connection left', async () => (await connections()) === 0)
    await instance.close()
  })
})
