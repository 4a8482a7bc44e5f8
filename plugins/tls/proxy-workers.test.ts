import assert from 'node:assert/strict'
import { connect as connect2 } from 'node:http2'
import { connect as connectPlain, type Socket } from 'node:net'
import { after, before, it } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { type Instance, route, startInstance } from '../router/wire.fixture.ts'
import { ask2, dial, type SecureEdge, startSecureEdge } from './secure-edge.fixture.ts'

const host = 'echo.example.test'
const headers = {
  'version 1': Buffer.from('PROXY TCP4 198.51.100.7 10.0.0.1 54321 443\r\n'),
  'version 2': Buffer.from('0d0a0d0a000d0a515549540a2111000cc63364070a000001d43101bb', 'hex'),
}

let edge: SecureEdge
let echo: Instance
before(async () => {
  edge = await startSecureEdge({ LONGHOUSE_PROXY_PROTOCOL: '127.0.0.1', ROUTER_WORKERS: '1' })
  echo = await startInstance('inst_echo', (request, response) => {
    response.end(`from ${request.headers['x-forwarded-for']} by ${request.headers['x-forwarded-proto']}`)
  })
  route(edge, 'echo', echo)
  await edge.settled?.()
})
after(async () => {
  await edge.stop()
  await echo.close()
})

/** A connection that brings these pieces, each once the one before has left. */
async function bringing(...pieces: Buffer[]) {
  const socket = connectPlain(edge.securePort, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => undefined)
  for (const piece of pieces) {
    await new Promise(sent => socket.write(piece, sent))
    await new Promise(setImmediate)
  }
  return socket
}

/** What a connection brings until it is closed. */
async function allOf(socket: Socket): Promise<string> {
  let received = ''
  socket.setEncoding('latin1').on('data', piece => {
    received += piece
  })
  if (!socket.closed) await new Promise(closed => socket.once('close', closed))
  return received
}

/** Speaks TLS behind these pieces. */
async function behind(protocol: string, ...pieces: Buffer[]): Promise<TLSSocket> {
  const socket = await bringing(...pieces)
  return await new Promise((resolve, reject) => {
    const ca = edge.authority.certificate
    const secure = connect({ socket, servername: host, ca, ALPNProtocols: [protocol] }, () => resolve(secure))
    secure.once('error', reject)
  })
}

for (const [version, header] of Object.entries(headers)) {
  it(`workers take the client from a header of ${version} before TLS, wherever it is cut`, async () => {
    for (const cut of [0, 1, 5, 12, 16, header.length - 1]) {
      const socket = await behind('http/1.1', header.subarray(0, cut), header.subarray(cut))
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      assert.match(await allOf(socket), /from 198\.51\.100\.7 by https$/, `cut at ${cut}`)
    }
    const bytes = [...header].map(byte => Buffer.of(byte))
    const socket = await behind('h2', ...bytes)
    const client = connect2(`https://${host}`, { createConnection: () => socket })
    assert.equal((await ask2(client, {})).body, 'from 198.51.100.7 by https')
    client.destroy()
  })
}

it('workers close a connection without a header, and one whose header is too long or no header', async () => {
  await assert.rejects(dial(edge, host, 'http/1.1'))
  for (const start of [
    Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`),
    Buffer.concat([headers['version 2'].subarray(0, 14), Buffer.from([0xff, 0xff])]),
    Buffer.from('GET / HTTP/1.1\r\nHost: echo.example.test\r\n\r\n'),
  ]) {
    const socket = await bringing(start)
    assert.equal(await allOf(socket), '')
  }
})
