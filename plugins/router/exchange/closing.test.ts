import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { startEdge } from '../edge.fixture.ts'
import { ask, eventually, route, startInstance, wire } from '../wire.fixture.ts'
import { closeFrame, FrameTracker } from './frames.ts'

const upgrade = 'GET /live HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const get = 'GET /events HTTP/1.1\r\nHost: a.localhost\r\n\r\n'

/** An edge and an instance whose streams and WebSockets the test writes to itself. */
async function withStreams(t: TestContext, env: Record<string, string> = {}) {
  const edge = await startEdge(env)
  const events: ServerResponse[] = []
  const sockets: Duplex[] = []
  const open = new Set<Duplex>()
  const heard: Buffer[] = []
  let headers: Record<string, string> = {}
  const instance = await startInstance('inst_a', (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...headers }).flushHeaders()
    events.push(response)
  })
  instance.server.on('upgrade', (_, socket: Duplex) => {
    sockets.push(socket)
    open.add(socket)
    socket.on('error', () => undefined).on('data', (data: Buffer) => heard.push(data))
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
  })
  route(edge, 'a', instance)
  let stopped = false
  const stop = async () => {
    if (!stopped) await edge.stop()
    stopped = true
  }
  t.after(async () => {
    await stop()
    for (const socket of open) socket.destroy()
    await instance.close()
  })
  const bytes = (text: string) => Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1')
  return {
    edge,
    stop,
    heard: () => Buffer.concat(heard),
    answerWith: (more: Record<string, string>) => {
      headers = more
    },
    stream: async () => {
      const line = wire(edge, get)
      const response = await eventually(() => events.pop())
      await line.until(/\r\n\r\n/)
      return { line, response, body: async () => bytes(await line.ended()).toString('latin1') }
    },
    socket: async () => {
      const line = wire(edge, upgrade)
      await line.until(/101 [\s\S]*\r\n\r\n/)
      const socket = await eventually(() => sockets.pop())
      return {
        line,
        socket,
        received: () => bytes(line.received()),
        all: async () => bytes(await line.ended()),
      }
    },
  }
}

const frame = (payload: Buffer) => {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([0x82, length]), payload])
  return Buffer.concat([Buffer.from([0x82, 126, length >> 8, length & 255]), payload])
}
/** The code and reason of an unmasked close frame. */
const readClose = (bytes: Buffer) => ({ code: bytes.readUInt16BE(2), reason: bytes.toString('utf8', 4) })
const masked = (bytes: Buffer) => {
  const mask = bytes.subarray(2, 6)
  return Buffer.concat([
    Buffer.from([bytes[0] ?? 0, (bytes[1] ?? 0) & 127]),
    bytes.subarray(6).map((byte, i) => byte ^ (mask[i % 4] ?? 0)),
  ])
}
/** What a client answers to a close frame. */
const reply = Buffer.from([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2])

test('a WebSocket ends with a close frame on both sides when its instance is upgraded', async t => {
  const { edge, socket, heard } = await withStreams(t)
  const { line, socket: instance, received, all } = await socket()
  instance.write(frame(Buffer.from('hello')))
  await eventually(() => received().length === 7)
  const reason = 'The instance is being upgraded'
  edge.router.set('a', { state: 'starting', instanceId: 'inst_a', reason })
  await eventually(() => received().length > 7)
  assert.deepEqual(readClose(received().subarray(7)), { code: 1001, reason })
  await eventually(() => heard().length > 0)
  assert.deepEqual(readClose(masked(heard())), { code: 1001, reason })
  line.write(reply)
  assert.equal((await all()).length, 7 + 4 + reason.length)
})

test('the close frame waits for the end of a frame, and nothing follows it', async t => {
  const { edge, socket } = await withStreams(t)
  const { line, socket: instance, received, all } = await socket()
  const long = frame(Buffer.alloc(1000, 'x'))
  instance.write(long.subarray(0, 400))
  await eventually(() => received().length === 400)
  edge.router.set('a', { state: 'stopped', instanceId: 'inst_a' })
  instance.write(Buffer.concat([long.subarray(400), frame(Buffer.from('too late'))]))
  await eventually(() => received().length > long.length)
  line.write(reply)
  const bytes = await all()
  assert.deepEqual(bytes.subarray(0, long.length), long)
  assert.deepEqual(readClose(bytes.subarray(long.length)), { code: 1001, reason: 'The instance is stopping' })
})

test('a frame that never ends, and peers that never reply, do not keep the connection', async t => {
  const { edge, socket } = await withStreams(t)
  const cut = await socket()
  cut.socket.write(frame(Buffer.alloc(1000)).subarray(0, 400))
  await eventually(() => cut.received().length === 400)
  const mute = await socket()
  edge.router.remove('a')
  assert.equal((await cut.all()).length, 400)
  assert.deepEqual(readClose(await mute.all()), { code: 1001, reason: 'The instance was removed' })
})

test('a stream of events ends with its last chunk and a comment', async t => {
  const { edge, stream } = await withStreams(t)
  const fresh = await stream()
  const whole = await stream()
  whole.response.write('data: 1\n\n')
  await whole.line.until(/data: 1\n\n/)
  edge.router.set('a', { state: 'starting', instanceId: 'inst_a' })
  const comment = ': The instance is restarting\n\n'
  const last = `${comment.length.toString(16)}\r\n${comment}\r\n0\r\n\r\n`
  fresh.line.socket.end()
  assert.equal(await fresh.body(), last)
  whole.line.socket.end()
  assert.equal(await whole.body(), `9\r\ndata: 1\n\n\r\n${last}`)
})

test('half an event, a compressed one and one of known length get no comment', async t => {
  const { edge, stream, answerWith } = await withStreams(t)
  const half = await stream()
  half.response.write('data: ha')
  await half.line.until(/data: ha/)
  answerWith({ 'Content-Encoding': 'br' })
  const compressed = await stream()
  answerWith({ 'Content-Length': '100' })
  const sized = await stream()
  sized.response.write('data: 1\n\n')
  await sized.line.until(/data: 1/)
  edge.router.set('a', { state: 'stopped', instanceId: 'inst_a' })
  half.line.socket.end()
  assert.equal(await half.body(), '8\r\ndata: ha\r\n0\r\n\r\n')
  compressed.line.socket.end()
  assert.equal(await compressed.body(), '0\r\n\r\n')
  assert.equal(await sized.body(), 'data: 1\n\n')
})

test('a program that stops lets requests end, and says why it closes what would not', async t => {
  const { edge, stop, stream, socket } = await withStreams(t)
  let pending: ServerResponse | undefined
  const slow = await startInstance('inst_slow', (_, response) => {
    pending = response
  })
  route(edge, 'slow', slow)
  const asked = wire(edge, 'GET / HTTP/1.1\r\nHost: slow.localhost\r\n\r\n')
  await eventually(() => pending)
  const events = await stream()
  const live = await socket()
  const stopping = stop()
  assert.match(await events.body(), /^1e\r\n: The platform is restarting\n\n\r\n0\r\n\r\n$/)
  await eventually(() => live.received().length > 0)
  live.line.write(reply)
  assert.deepEqual(readClose(await live.all()), { code: 1001, reason: 'The platform is restarting' })
  pending?.end('done')
  assert.match(await asked.ended(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*done/)
  await stopping
  await slow.close()
})

test('what is left after the grace period is refused with a reason, or cut', async t => {
  const { edge, stop } = await withStreams(t, { ROUTER_DRAIN_GRACE: '100ms' })
  const mute = await startInstance('inst_mute', (request, response) => {
    if (request.url === '/begun') response.write('a part')
  })
  route(edge, 'mute', mute)
  const post = (path: string, more = '') =>
    wire(edge, `POST ${path} HTTP/1.1\r\nHost: mute.localhost\r\n${more}\r\n`)
  const waiting = post('/')
  const begun = post('/begun')
  await begun.until(/a part/)
  const sending = post('/', 'Content-Length: 10\r\n')
  await once(sending.socket, 'connect')
  await ask(edge, 'control.localhost')
  await eventually(() => mute.asked.length === 2)
  await stop()
  for (const line of [waiting, sending]) {
    assert.match(await line.ended(), /^HTTP\/1\.1 503 [\s\S]*Connection: close\r\n[\s\S]*router-stopping/)
  }
  assert.doesNotMatch(await begun.ended(), /\r\n0\r\n\r\n$/)
  await mute.close()
})

test('the frames of a WebSocket are followed however they are split', () => {
  const frames = fc.array(
    fc.record({ size: fc.oneof(fc.nat(200), fc.nat(70_000)), mask: fc.boolean(), opcode: fc.nat(7) }),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 8 }), (list, some) => {
      const cuts = [...some, 4000]
      const bytes: Buffer[] = []
      const ends = [0]
      for (const { size, mask, opcode } of list) {
        const length =
          size < 126
            ? [size]
            : size < 65_536
              ? [126, size >> 8, size & 255]
              : [127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255]
        if (mask) length[0] = (length[0] ?? 0) | 128
        bytes.push(Buffer.from([128 | opcode, ...length, ...(mask ? [1, 2, 3, 4] : [])]), Buffer.alloc(size))
        ends.push(Buffer.concat(bytes).length)
      }
      const all = Buffer.concat(bytes)
      const tracker = new FrameTracker()
      for (let at = 0, i = 0; at < all.length; i++) {
        assert.equal(tracker.between, ends.includes(at))
        const piece = all.subarray(at, at + (cuts[i % cuts.length] as number))
        const toBoundary = i % 2 === 1 && !tracker.between
        const followed = tracker.follow(piece, toBoundary)
        const end = ends.find(each => each > at) ?? 0
        assert.equal(followed, toBoundary ? Math.min(piece.length, end - at) : piece.length)
        at += followed
      }
      assert.ok(tracker.between && !tracker.closed)
      tracker.follow(closeFrame('x'.repeat(200), true))
      assert.ok(tracker.between && tracker.closed)
    }),
  )
  assert.equal(readClose(closeFrame('ü'.repeat(100), false)).reason, 'ü'.repeat(61))
})
