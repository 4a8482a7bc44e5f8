import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { connect as connectPlain, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { connect } from 'node:tls'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { startEdge } from '../router/edge.fixture.ts'
import { type Instance, listening, route, startInstance } from '../router/wire.fixture.ts'
import { ask2, containerCheck, type SecureEdge, session, startSecureEdge } from './secure-edge.fixture.ts'

let edge: SecureEdge
let echo: Instance

before(async () => {
  edge = await startSecureEdge({ LONGHOUSE_PROXY_PROTOCOL: '127.0.0.1' })
  echo = await startInstance('inst_echo', (request, response) => {
    response.end(`from ${request.headers['x-forwarded-for']} by ${request.headers['x-forwarded-proto']}`)
  })
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

const host = 'echo.example.test'
const asked = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
const textHeader = Buffer.from('PROXY TCP4 198.51.100.7 10.0.0.1 54321 443\r\n')
const binaryHeader = Buffer.from('0d0a0d0a000d0a515549540a2111000cc63364070a000001d43101bb', 'hex')

/** All that a connection receives after these pieces were sent on it, each once the one before has left. */
async function answerTo(port: number, ...pieces: (Buffer | string)[]): Promise<string> {
  const socket = connectPlain(port, '127.0.0.1').setNoDelay(true)
  let received = ''
  socket
    .on('error', () => undefined)
    .on('data', chunk => {
      received += chunk.toString('latin1')
    })
  for (const piece of pieces) {
    await new Promise(sent => socket.write(piece, sent))
    await new Promise(setImmediate)
  }
  await eventually('the connection is closed', () => socket.closed)
  return received
}

it('takes the client from a header, cut anywhere, in one piece with the request or before it', async t => {
  const plain = await startEdge({ LONGHOUSE_PROXY_PROTOCOL: '127.0.0.1' })
  t.after(() => plain.stop())
  route(plain, 'echo', echo)
  const request = asked.replace(host, 'echo.localhost')
  for (const header of [textHeader, binaryHeader]) {
    const whole = Buffer.concat([header, Buffer.from(request)])
    for (let cut = 1; cut < whole.length; cut += 3) {
      const answer = await answerTo(plain.port, whole.subarray(0, cut), whole.subarray(cut))
      assert.match(answer, /from 198\.51\.100\.7 by http$/, `cut at ${cut}`)
    }
    assert.match(await answerTo(plain.port, whole), /from 198\.51\.100\.7 by http$/)
    assert.match(
      await answerTo(plain.port, ...[...header].map(byte => Buffer.from([byte])), request),
      /198\.51\.100\.7/,
    )
  }
})

it('the container’s own check passes, whether or not its address is among the proxies', async t => {
  assert.equal(await containerCheck(edge, '127.0.0.1'), '200 0')
  const elsewhere = await startEdge({ LONGHOUSE_PROXY_PROTOCOL: '10.127.0.0/16' })
  t.after(() => elsewhere.stop())
  assert.equal(await containerCheck(elsewhere, '10.127.0.0/16'), '200 0')
})

it('takes the client from a header before TLS, over HTTP/1.1 and HTTP/2', async () => {
  for (const header of [textHeader, binaryHeader]) {
    const secure = await afterHeader(edge, header, 'http/1.1')
    let received = ''
    secure.on('data', chunk => {
      received += chunk.toString('latin1')
    })
    secure.write(asked)
    await eventually('an answer', () => /from 198\.51\.100\.7 by https/.exec(received))
  }
  const through = await throughHeader(edge.securePort, binaryHeader)
  const client = session({ ...edge, securePort: through.port }, host)
  assert.equal((await ask2(client, { ':authority': host })).body, 'from 198.51.100.7 by https')
  client.destroy()
  through.close()
})

/** Speaks TLS on a connection that begins with a header. */
async function afterHeader(where: SecureEdge, header: Buffer, protocol: string) {
  const socket = connectPlain(where.securePort, '127.0.0.1')
  socket.write(header)
  return await new Promise<Socket>((resolve, reject) => {
    const secure = connect(
      { socket, servername: host, ca: where.authority.certificate, ALPNProtocols: [protocol] },
      () => resolve(secure),
    )
    secure.once('error', reject)
  })
}

/** A port that passes connections on, each with a header. */
async function throughHeader(port: number, header: Buffer) {
  const server = createServer(socket => {
    const behind = connectPlain(port, '127.0.0.1')
    behind.write(header)
    socket.pipe(behind).pipe(socket)
    socket.on('error', () => behind.destroy())
    behind.on('error', () => socket.destroy())
  })
  return { port: await listening(server), close: () => server.close() }
}

it('closes a proxy’s connection without a header, and believes none from others', async t => {
  const plain = await startEdge({ LONGHOUSE_PROXY_PROTOCOL: '127.0.0.1' })
  t.after(() => plain.stop())
  assert.equal(await answerTo(plain.port, asked), '')
  assert.equal(await answerTo(plain.port, 'PROXY TCP4 1.2.3.4\r\n', asked), '')
  assert.equal(await answerTo(edge.securePort, '\x16\x03\x01\x02\x00\x01'), '')
  const others = await startEdge({ LONGHOUSE_PROXY_PROTOCOL: '10.0.0.0/8' })
  t.after(() => others.stop())
  assert.match(await answerTo(others.port, textHeader, asked), /^HTTP\/1\.1 400 /)
  route(others, 'echo', echo)
  assert.match(
    await answerTo(others.port, asked.replace(host, 'echo.localhost')),
    /from 127\.0\.0\.1 by http$/,
  )
})

const haproxy = ['/usr/sbin/haproxy'].find(existsSync)

it('understands haproxy, version 1 and 2', { skip: !haproxy && 'haproxy is not installed' }, async t => {
  const spare = createServer()
  const port = await listening(spare)
  await new Promise(done => spare.close(done))
  for (const send of ['send-proxy', 'send-proxy-v2']) {
    const file = join(temporaryFolder(t), 'haproxy.cfg')
    writeFileSync(
      file,
      `defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\nlisten edge\n  bind 127.0.0.1:${port}\n  server one 127.0.0.1:${edge.securePort} ${send}\n`,
    )
    const program = spawn(haproxy as string, ['-db', '-f', file], { stdio: 'ignore' })
    t.after(() => program.kill())
    const reply = await eventually('an answer by way of HAProxy', () => bodyAt(port))
    assert.equal(reply, 'from 127.0.0.1 by https')
    const ended = new Promise(done => program.once('exit', done))
    program.kill()
    await ended
  }
})

async function bodyAt(port: number): Promise<string> {
  const client = session({ ...edge, securePort: port }, host)
  try {
    return (await ask2(client, { ':authority': host })).body
  } finally {
    client.destroy()
  }
}
