import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { BootError } from '../../boot-error.ts'
import { eventually } from '../../testing/eventually.ts'
import { closeServer, openServer } from './server.ts'

const loopback = { host: '127.0.0.1', port: 0 }

async function serve(t: TestContext, listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener)
  const port = await openServer(server, loopback)
  t.after(() => closeServer(server, { graceMs: 0 }))
  return { server, port }
}

/** A client that keeps what it was sent, and notes when its connection has ended. */
async function dial(
  t: TestContext,
  port: number,
): Promise<{ socket: Socket; got(): string; ended(): boolean }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let closed = false
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  socket.on('error', () => {})
  socket.once('close', () => {
    closed = true
  })
  await once(socket, 'connect')
  t.after(() => socket.destroy())
  return { socket, got: () => text, ended: () => closed }
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

test('closing drops idle, silent and upgraded connections, and lets a response in progress end', async t => {
  let pending: ServerResponse | undefined
  const { server, port } = await serve(t, (request, response) => {
    if (request.url === '/slow') pending = response
    else response.end('quick')
  })
  let upgraded = false
  server.on('upgrade', (_, socket) => {
    upgraded = true
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  })

  const silent = await dial(t, port)
  const idle = await dial(t, port)
  idle.socket.write(get)
  const tunnel = await dial(t, port)
  tunnel.socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  const half = await dial(t, port)
  half.socket.write('GET / HTTP/1.1\r\nHo')
  const slow = await dial(t, port)
  slow.socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually('all of them are served', () => pending && upgraded && idle.got().includes('quick'))

  let closed = false
  // A grace that no test waits for: only what drops of itself lets this end.
  const closing = closeServer(server, { graceMs: 600_000 }).then(() => {
    closed = true
  })
  await eventually('the others are dropped', () => [silent, idle, tunnel, half].every(each => each.ended()))
  assert.equal(slow.ended(), false)
  assert.equal(closed, false)
  pending?.end('slow but whole')
  await closing
  await eventually('the answer came through', () => slow.ended())
  assert.match(slow.got(), /slow but whole/)
})

test('a response that does not end is aborted after the grace period', async t => {
  let asked = false
  const { server, port } = await serve(t, () => {
    asked = true
  })
  const client = await dial(t, port)
  client.socket.write(get)
  await eventually('it was asked', () => asked)
  await closeServer(server, { graceMs: 10 })
  await eventually('it is cut off', () => client.ended())
})

test('a failure to listen is explained with the variable to change', async t => {
  const { port } = await serve(t, (_, response) => response.end())
  const cases: [{ host: string; port: number }, RegExp][] = [
    [{ host: '127.0.0.1', port }, /^LONGHOUSE_PORT: something else listens on 127\.0\.0\.1:\d+; stop it/],
    [{ host: '192.0.2.1', port: 0 }, /^LONGHOUSE_HOST: 192\.0\.2\.1 is not an address of this machine/],
  ]
  for (const [where, words] of cases) {
    await assert.rejects(openServer(createServer(), where), (error: unknown) => {
      assert.ok(error instanceof BootError)
      assert.match(error.faults.join(), words)
      return true
    })
  }
})
