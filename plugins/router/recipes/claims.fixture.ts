import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { request as requestInPlain } from 'node:http'
import { request } from 'node:https'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { bootForTest, plain } from '../../../control-plane/boot.fixture.ts'
import { open, route } from '../../../src/http/route.ts'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import type { RouterService } from '../contract.ts'
import { router } from '../index.ts'
import { startInstance } from '../wire.fixture.ts'
import type { ProxyPorts } from './recipe.fixture.ts'

interface Stand {
  proxy: ProxyPorts
  /** Event streams that are open. */
  events: { write(text: string): void; end(): void }[]
  uploads: { bytes: number; total: Promise<number> }[]
}

/** Tries what the guide claims of each recipe. */
export async function tryRecipe(
  t: TestContext,
  start: (t: TestContext, upstream: number) => Promise<ProxyPorts>,
): Promise<void> {
  const { proxy, events, uploads } = await standUp(t, start)

  await t.test('the host keeps its port, and the instance learns the scheme', async () => {
    const seen = JSON.parse(await body(ask(proxy, 'acme', '/a?b=%2F')))
    assert.deepEqual(
      [seen.host, seen['x-forwarded-host'], seen['x-forwarded-proto'], seen.url],
      [`acme.localhost:${proxy.https}`, `acme.localhost:${proxy.https}`, 'https', '/a?b=%2F'],
    )
  })

  await t.test('our own forms are accepted and others’ refused', async () => {
    const host = `control.localhost:${proxy.https}`
    const post = async (origin: string) => {
      const asked = ask(proxy, 'control', '/form', { method: 'POST', headers: { Origin: origin } })
      asked.end()
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      answer.resume()
      return answer.statusCode
    }
    assert.equal(await body(ask(proxy, 'control', '/name')), host, 'the port is part of the host')
    assert.equal(await post(`https://${host}`), 200)
    assert.equal(await post('https://control.localhost'), 403)
    assert.equal(await post(`https://tenant.localhost:${proxy.https}`), 403)
  })

  const outside = Object.values(networkInterfaces())
    .flat()
    .find(each => each?.family === 'IPv4' && !each.internal)?.address
  const noAddress = outside === undefined && 'this machine has no address but loopback'
  await t.test('clients have their own addresses, whatever they say', { skip: noAddress }, async () => {
    const asked = ask(proxy, 'acme', '/', {
      host: outside ?? '',
      headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9' },
    })
    const seen = JSON.parse(await body(asked))
    assert.equal(seen['x-forwarded-for'], outside)
  })

  await t.test('events arrive one by one', async () => {
    const asked = ask(proxy, 'acme', '/events')
    asked.end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const [first] = await once(answer, 'data')
    assert.equal(String(first), 'data: first\n\n')
    events[0]?.write('data: second\n\n')
    const [second] = await once(answer, 'data')
    assert.equal(String(second), 'data: second\n\n')
    events[0]?.end()
    answer.resume()
    await once(answer, 'end')
  })

  await t.test('a large body is passed on while it arrives', async () => {
    const half = Buffer.alloc(4 * 1024 * 1024, 'x')
    const asked = ask(proxy, 'acme', '/upload', {
      method: 'POST',
      headers: { 'Content-Length': String(2 * half.length) },
    })
    asked.write(half)
    await eventually('the instance has some of it', () => (uploads[0]?.bytes ?? 0) > 0)
    assert.equal(await body(asked, half), 'taken')
    assert.equal(await uploads[0]?.total, 2 * half.length)
  })

  await t.test('WebSockets are opened, and carry bytes both ways', async () => {
    const asked = ask(proxy, 'acme', '/live', {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    })
    asked.end()
    const [answer, socket] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket]
    assert.equal(answer.statusCode, 101)
    assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    const frame = Buffer.from([0x82, 0x83, 1, 2, 3, 4, 5, 6, 7])
    socket.write(frame)
    const [echoed] = await once(socket, 'data')
    assert.deepEqual(echoed, frame)
    socket.destroy()
  })

  await t.test('plain HTTP leads to HTTPS', async () => {
    const asked = requestInPlain({
      ...{ host: '127.0.0.1', port: proxy.http, path: '/a?b=1', agent: false },
      headers: { Host: 'acme.localhost' },
    })
    asked.end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    assert.ok([301, 308].includes(answer.statusCode ?? 0), String(answer.statusCode))
    assert.match(answer.headers.location ?? '', /^https:\/\/acme\.localhost(:\d+)?\/a\?b=1$/)
  })
}

/** The real proxy in front of a control plane and one instance, `acme`, and what that instance has in hand. */
async function standUp(
  t: TestContext,
  start: (t: TestContext, upstream: number) => Promise<ProxyPorts>,
): Promise<Stand> {
  const events: Stand['events'] = []
  const uploads: Stand['uploads'] = []
  const instance = await startInstance('inst_a', (asked, response) => {
    if (asked.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: first\n\n')
      events.push(response)
    } else if (asked.url === '/upload') {
      uploads.push(receive(asked))
      asked.on('end', () => response.end('taken'))
    } else response.end(JSON.stringify({ ...asked.headers, url: asked.url }))
  })
  t.after(() => instance.close())
  instance.server.on('upgrade', (asked: IncomingMessage, socket: Socket) => {
    const key = `${asked.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.pipe(socket)
    socket.on('error', () => socket.destroy())
  })
  let routes: RouterService | undefined
  const steering = definePlugin({
    name: 'steering',
    needs: ['router'],
    setup: ({ services }) => {
      routes = services.router
      return {}
    },
  })
  const page = { guard: open, answers: {} }
  const pages = plain({
    name: 'pages',
    setup: () => ({
      routes: [
        route({
          ...{ ...page, method: 'get', path: '/name', summary: 'Names the host' },
          handle: c => c.text(c.req.header('host') ?? ''),
        }),
        route({
          ...{ ...page, method: 'post', path: '/form', summary: 'Takes a form' },
          handle: c => c.text('taken'),
        }),
      ],
    }),
  })
  const program = await bootForTest(t, [router, steering, pages], { env: { ROUTER_MODE: 'behind' } })
  const proxy = await start(t, await program.listen())
  routes?.set('acme', { state: 'ready', instanceId: 'inst_a', host: '127.0.0.1', port: instance.port })
  return { proxy, events, uploads }
}

/** Asks a host behind the proxy, whose certificate no one trusts. */
function ask(proxy: ProxyPorts, label: string, path: string, options: RequestOptions = {}): ClientRequest {
  const host = `${label}.localhost`
  return request({
    ...{
      host: '127.0.0.1',
      port: proxy.https,
      path,
      agent: false,
      servername: host,
      rejectUnauthorized: false,
    },
    ...options,
    headers: { Host: `${host}:${proxy.https}`, ...(options.headers as Record<string, string>) },
  })
}

async function body(asked: ClientRequest, rest?: Buffer): Promise<string> {
  asked.end(rest)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const words = await text(answer)
  assert.equal(answer.statusCode, 200, words)
  return words
}

function receive(asked: IncomingMessage): { bytes: number; total: Promise<number> } {
  const { promise, resolve } = Promise.withResolvers<number>()
  const upload = { bytes: 0, total: promise }
  asked.on('data', (chunk: Buffer) => {
    upload.bytes += chunk.length
  })
  asked.on('end', () => resolve(upload.bytes))
  return upload
}
