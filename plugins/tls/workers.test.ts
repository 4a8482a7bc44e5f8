import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, it, type TestContext } from 'node:test'
import { makeAuthority } from '../../src/testing/authority.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type Edge, startEdge } from '../router/edge.fixture.ts'
import { ask, type Instance, route, startInstance } from '../router/wire.fixture.ts'
import {
  ask2,
  certificateFiles,
  containerCheck,
  dial,
  type SecureEdge,
  session,
  startSecureEdge,
} from './secure-edge.fixture.ts'

let edge: SecureEdge
let echo: Instance

before(async () => {
  edge = await startSecureEdge({ ROUTER_WORKERS: '1' })
  echo = await startInstance('inst_echo', (request, response) => {
    const { headers } = request
    void text(request).then(body => response.end(`${headers['x-forwarded-proto']} ${headers.host} ${body}`))
  })
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

it('serves instances and the pages over HTTP/2 from workers, and redirects HTTP', async () => {
  const client = session(edge, 'echo.example.test')
  const reply = await ask2(client, { ':method': 'POST', ':authority': 'echo.example.test' }, 'a body')
  assert.equal(reply.body, 'https echo.example.test a body')
  const pages = await ask2(client, { ':authority': 'control.example.test' })
  assert.equal(pages.body, 'the control plane')
  const posted = await ask2(
    client,
    { ':method': 'POST', ':authority': 'control.example.test' },
    'to the pages',
  )
  assert.equal(posted.body, 'to the pages')
  client.close()
  const redirected = await ask(edge, 'echo.example.test', { path: '/a?b' })
  assert.equal(redirected.status, 308)
  assert.equal(redirected.headers.location, `https://echo.example.test:${edge.securePort}/a?b`)
  const health = await ask(edge, `127.0.0.1:${edge.port}`, { path: '/health' })
  assert.equal(health.body, '{"status":"ok"}')
  assert.equal(await containerCheck(edge), '200 0')
})

it('a body of HTTP/2 never becomes a request of its own to the pages, whatever the method', async () => {
  const client = session(edge, 'control.example.test')
  const body = 'GET /smuggled HTTP/1.1\r\nHost: control.example.test\r\n\r\n'
  const before = edge.pagesAsked.length
  const expected: string[] = []
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT', 'PATCH']) {
    const hasBody = method !== 'GET' && method !== 'HEAD'
    for (const sent of [undefined, '', body]) {
      for (const length of sent === undefined ? [{}] : [{}, { 'content-length': String(sent.length) }]) {
        const reply = await ask2(client, { ':method': method, ':path': '/any', ...length }, sent)
        const name = `${method} ${JSON.stringify(length)} ${sent}`
        assert.equal(reply.status, 200, name)
        assert.equal(reply.body, method === 'HEAD' ? '' : `${method} ${hasBody ? (sent ?? '') : ''}`, name)
        expected.push(`${method} /any`)
      }
    }
  }
  assert.deepEqual(edge.pagesAsked.slice(before), expected)
  client.close()
})

it('shows each client the certificate of the host that it asks for, from workers', async t => {
  const authority = makeAuthority(t)
  const first = certificateFiles(authority, temporaryFolder(t), 'example.test', '*.example.test')
  const second = certificateFiles(authority, temporaryFolder(t), 'jobs.acme.test')
  const both = await startSecureEdge({
    ROUTER_WORKERS: '1',
    TLS_CERTIFICATE_FILES: `${first.TLS_CERTIFICATE_FILES},${second.TLS_CERTIFICATE_FILES}`,
    TLS_KEY_FILES: `${first.TLS_KEY_FILES},${second.TLS_KEY_FILES}`,
  })
  t.after(() => both.stop())
  route(both, 'echo', echo)
  both.router.setRule('echo', 'hosts', ['jobs.acme.test'])
  await both.settled?.()
  const where = { ...both, authority }
  for (const host of ['echo.example.test', 'jobs.acme.test']) {
    const socket = await dial(where, host, 'http/1.1')
    assert.match(socket.getPeerCertificate().subjectaltname ?? '', new RegExp(host.replace('echo', '\\*')))
    socket.destroy()
    const client = session(where, host)
    assert.equal((await ask2(client, { ':authority': host })).body, `https ${host} `)
    client.destroy()
  }
})

/** An edge of workers behind a load balancer. */
async function startBehind(t: TestContext, env: Record<string, string>): Promise<Edge> {
  const behind = await startEdge({ ROUTER_WORKERS: '1', LONGHOUSE_PROXY_PROTOCOL: '127.0.0.1', ...env })
  t.after(() => behind.stop())
  const instance = await startInstance('inst_slow', (request, response) => {
    if (request.url === '/slow') response.writeHead(200).write('begun')
    else response.end(`from ${request.headers['x-forwarded-for']}`)
  })
  t.after(() => instance.close())
  route(behind, 'slow', instance)
  await behind.settled?.()
  return behind
}

/** A connection that a load balancer passes on for a client, and what came back so far. */
function connectFor(t: TestContext, { port }: Edge, client: string, path: string | null, head = '') {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let received = ''
  socket
    .on('error', () => undefined)
    .on('data', chunk => {
      received += chunk.toString('latin1')
    })
  socket.write(`PROXY TCP4 ${client} 10.0.0.1 54321 80\r\n`)
  const send = (each: string) => socket.write(`GET ${each} HTTP/1.1\r\nHost: slow.localhost\r\n${head}\r\n`)
  if (path !== null) send(path)
  const until = (pattern: RegExp) => eventually(`${pattern} in what came`, () => pattern.exec(received))
  return { send, until, socket }
}

it('the client of a PROXY header is who limits of requests count in workers', async t => {
  const behind = await startBehind(t, { ROUTER_CLIENT_LIMIT: '1' })
  const slow = connectFor(t, behind, '198.51.100.7', '/slow')
  await slow.until(/begun/)
  await connectFor(t, behind, '198.51.100.7', '/').until(/^HTTP\/1\.1 429 /)
  await connectFor(t, behind, '198.51.100.8', '/').until(/from 198\.51\.100\.8/)
  slow.socket.destroy()
})

it('the client of a PROXY header is who limits of connections count in workers', async t => {
  const behind = await startBehind(t, { ROUTER_CLIENT_CONNECTIONS: '1' })
  const first = connectFor(t, behind, '198.51.100.7', '/')
  await first.until(/from 198\.51\.100\.7/)
  await connectFor(t, behind, '198.51.100.7', '/').until(/^HTTP\/1\.1 (429|503) /)
  await connectFor(t, behind, '198.51.100.8', '/').until(/from 198\.51\.100\.8/)
  first.send('/')
  await first.until(/from 198\.51\.100\.7[\s\S]*from 198\.51\.100\.7/)
})

it('what a plan allows changes at once in workers', async t => {
  const behind = await startBehind(t, { ROUTER_WORKERS: '2', LONGHOUSE_PROXY_PROTOCOL: '' })
  const post = async () =>
    (await ask(behind, 'slow.localhost', { method: 'POST', body: 'x'.repeat(2000) })).status
  assert.equal(await post(), 200)
  behind.router.setRule('slow', 'limits', { bodyBytes: 1000 })
  for (let i = 0; i < 10; i++) assert.equal(await post(), 413)
  behind.router.setRule('slow', 'limits', { bodyBytes: 3000 })
  for (let i = 0; i < 10; i++) assert.equal(await post(), 200)
  behind.router.setRule('slow', 'limits', null)
  assert.equal(await post(), 200)
})

it('a worker that cannot use a certificate is a concern and a figure, until it can', async t => {
  const authority = makeAuthority(t)
  const files = certificateFiles(authority, temporaryFolder(t), 'example.test')
  const keyFile = files.TLS_KEY_FILES
  const broken = await startSecureEdge({ ROUTER_WORKERS: '1', ...files })
  t.after(() => broken.stop())
  const look = async () => {
    await broken.runOnce('router:compare-edge')
    const [concern] = (await broken.concerns()).filter(({ kind }) => kind === 'edge')
    const figure = (await broken.figures()).get('longhouse_edge_certificates_unusable')
    return { concern, figure }
  }
  assert.deepEqual(await look(), { concern: undefined, figure: 0 })
  const key = readFileSync(keyFile)
  rmSync(keyFile)
  const found = await eventually('the concern', async () => {
    const { concern, figure } = await look()
    return concern && { concern, figure }
  })
  assert.equal(found.figure, 1)
  assert.equal(found.concern.subject, 'certificates')
  assert.ok(found.concern.detail.startsWith(`${keyFile} cannot be read (ENOENT).`), found.concern.detail)
  writeFileSync(keyFile, key)
  await eventually('it is over', async () => (await look()).concern === undefined)
})
