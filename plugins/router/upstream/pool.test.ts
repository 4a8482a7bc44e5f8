import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { UpstreamPool } from './pool.ts'
import { type Outgoing, UpstreamRequest } from './request.ts'

/** An instance whose answers the test writes itself. */
async function start(
  t: TestContext,
  options: { mostConnections?: number; mostIdle?: number; idleMs?: number; proofMs?: number } = {},
  identify = (socket: Socket) =>
    void socket.write('HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_a\r\n\r\n'),
) {
  const lines: { socket: Socket; received: string }[] = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    const line = { socket, received: '' }
    socket.on('error', () => undefined)
    socket.on('data', data => {
      const text = data.toString('latin1')
      if (text.startsWith('HEAD ')) {
        lines.push(line)
        identify(socket)
      } else line.received += text
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = new UpstreamPool({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    instanceId: 'inst_a',
    mostConnections: 2,
    mostIdle: 2,
    idleMs: 60_000,
    proofMs: 5000,
    ...options,
  })
  t.after(async () => {
    pool.destroy()
    for (const { socket } of lines) socket.destroy()
    await new Promise(done => server.close(done))
  })
  const send = (path: string, outgoing: Partial<Outgoing> = {}) => {
    const happened: string[] = []
    const request = new UpstreamRequest(
      { method: 'GET', path, headers: ['Host', 'a'], body: 'none', ...outgoing },
      {
        writable: () => void happened.push('writable'),
        information: ({ status }) => void happened.push(`information ${status}`),
        head: ({ status }) => void happened.push(`head ${status}`),
        data: chunk => void happened.push(`data ${chunk}`),
        caughtUp: () => undefined,
        end: () => void happened.push('end'),
        switched: () => void happened.push('switched'),
        failed: ({ message }) => void happened.push(`failed: ${message}`),
      },
    )
    pool.send(request)
    return { request, happened }
  }
  /** The connection on which a path was asked for, once it was. */
  const lineOf = (path: string) =>
    eventually(`${path} is asked for`, () => lines.find(({ received }) => received.includes(` ${path} `)))
  return { pool, send, lineOf, lines }
}

const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test('requests beyond the limit of connections wait in order, and those given up meanwhile are left out', async t => {
  const { send, lineOf, lines } = await start(t)
  const [one, two, three, four, five] = ['/1', '/2', '/3', '/4', '/5'].map(path => send(path))
  assert.ok(one && two && three && four && five)
  const first = await lineOf('/1')
  await lineOf('/2')
  three.request.destroy()
  first.socket.write(answer('a'))
  await eventually('the next is asked', () => first.received.includes('/4'))
  assert.deepEqual(one.happened, ['head 200', 'data a', 'end'])
  // A connection that fails makes room as well.
  first.socket.destroy()
  await lineOf('/5')
  assert.match(four.happened.join(), /^failed/)
  assert.equal(lines.length, 3)
  assert.ok(lines.every(({ received }) => !received.includes('/3')))
  assert.deepEqual(three.happened, [])
})

test('a request that is given up before its connection is there leaves it to others', async t => {
  const { send, lineOf, lines } = await start(t, { mostConnections: 1 })
  const gone = send('/gone')
  gone.request.destroy()
  const next = send('/next')
  const line = await lineOf('/next')
  line.socket.write(answer('b'))
  await eventually('it is answered', () => next.happened.includes('end'))
  assert.equal(lines.length, 1)
  assert.ok(!line.received.includes('/gone'))
})

test('what never ends saying who it is holds no connection, however often it sends a byte', async t => {
  const { send, lines } = await start(t, { proofMs: 700 }, socket => {
    socket.write('HTTP/1.1 204 No Content\r\nX: ')
    const drip = setInterval(() => socket.write('x'), 5)
    socket.on('close', () => clearInterval(drip))
  })
  const { happened } = send('/')
  await eventually('it is given up', () => happened.length > 0)
  assert.deepEqual(happened, ['failed: it did not say who it is in time'])
  await eventually('its connection is closed', () => lines[0]?.socket.destroyed)
})

test('idle connections are limited in number and in time', async t => {
  const { send, lineOf, lines } = await start(t, { mostConnections: 3, mostIdle: 2, idleMs: 20 })
  const asked = ['/1', '/2', '/3'].map(path => ({ path, ...send(path) }))
  for (const { path } of asked) await lineOf(path)
  for (const { socket } of lines) socket.write(answer(''))
  await eventually('all are answered', () => asked.every(({ happened }) => happened.includes('end')))
  await eventually('all are closed', () => lines.every(({ socket }) => socket.readableEnded))
  const again = send('/again')
  const line = await lineOf('/again')
  line.socket.write(answer('c'))
  await eventually('it is answered', () => again.happened.includes('end'))
  assert.equal(lines.length, 4)
})

test('a retired pool ends what is in progress, and keeps no connection', async t => {
  const { pool, send, lineOf } = await start(t)
  const kept = send('/kept')
  const line = await lineOf('/kept')
  pool.retire()
  line.socket.write(answer('d'))
  await eventually('it is answered', () => kept.happened.includes('end'))
  await eventually('it is closed', () => line.socket.readableEnded)
})

test('a destroyed pool fails what is in progress and what waits, once', async t => {
  const { pool, send, lineOf } = await start(t, { mostConnections: 1 })
  const all = [send('/1'), send('/2'), send('/3')]
  await lineOf('/1')
  pool.destroy()
  await eventually('all have failed', () => all.every(({ happened }) => happened.length === 1))
  for (const { happened } of all) assert.match(happened.join(), /^failed: [^,]+$/)
})

test('a body is sent in its framing, and a connection on which it is not complete is not used again', async t => {
  const { send, lineOf, lines } = await start(t, { mostConnections: 1 })
  const chunked = send('/chunked', { method: 'POST', body: 'chunked' })
  const line = await lineOf('/chunked')
  await eventually('it is writable', () => chunked.happened.includes('writable'))
  chunked.request.write(Buffer.from('hello'))
  chunked.request.write(Buffer.alloc(0))
  chunked.request.endBody([['T', 'x']])
  await eventually('it has arrived', () => line.received.endsWith('\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n'))
  line.socket.write(answer('e'))
  await eventually('it is answered', () => chunked.happened.includes('end'))

  const early = send('/early', { method: 'POST', headers: ['Content-Length', '9'], body: 'plain' })
  await eventually('it is asked', () => line.received.includes('/early'))
  early.request.write(Buffer.from('half'))
  line.socket.write(answer('f'))
  await eventually('it is answered', () => early.happened.includes('end'))
  send('/after')
  await lineOf('/after')
  assert.equal(lines.length, 2)
  await eventually('the first is closed', () => line.socket.readableEnded || line.socket.destroyed)
})

test('what would break the head of a request is not sent', async t => {
  const { send, lines } = await start(t)
  for (const broken of [
    send('/a b'),
    send('/a\r\nX: y'),
    send('/', { headers: ['X', 'a\r\nY: b'] }),
    send('/', { headers: ['X', 'a\0'] }),
  ]) {
    await eventually('it fails', () => broken.happened.length === 1)
    assert.match(broken.happened.join(), /^failed/)
  }
  assert.ok(lines.every(({ received }) => received === ''))
})
