import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { text } from 'node:stream/consumers'
import { after, before, it } from 'node:test'
import { createServer } from 'node:tls'
import { openSession } from '../../src/http/http2/session.ts'
import { makeAuthority } from '../../src/testing/authority.ts'
import { eventually as eventuallyTrue } from '../../src/testing/eventually.ts'
import { eventually, type Instance, listening, route, startInstance } from '../router/wire.fixture.ts'
import { frame, frameTypes, type RawHeader, rawSession, requestFrames } from './frames.fixture.ts'
import { ask2, type SecureEdge, session, startSecureEdge } from './secure-edge.fixture.ts'

let edge: SecureEdge
let echo: Instance

before(async () => {
  edge = await startSecureEdge()
  echo = await startInstance('inst_echo', (request, response) => void reflect(request, response))
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

const reflect = async (request: IncomingMessage, response: ServerResponse) => {
  const body = await text(request)
  const { method, url, rawHeaders: raw, headers, trailers } = request
  response.writeHead(207, 'Fine By Me', {
    'X-Ours': 'kept',
    'X-Umlaut': 'gr\u00fc\u00df',
    Connection: 'keep-alive',
    'Set-Cookie': ['longhouse_session=1', '__Host-b=2'],
    'Content-Type': 'application/json',
  })
  response.end(JSON.stringify({ method, url, raw, headers, trailers, body }))
}

it('passes method, target, headers, body, status and headers on', async () => {
  const client = session(edge, 'echo.example.test')
  const reply = await ask2(
    client,
    {
      ':method': 'PATCH',
      ':path': '//a%2Fb/../c?x=%00&y=%C3%A9',
      'x-mine': 'kept',
      'x-umlaut': 'gr\u00fc\u00df',
      cookie: ['longhouse_session=s', '__Host-x=1', 'other=2'],
      te: 'trailers',
    },
    'hello',
  )
  assert.equal(reply.status, 207)
  assert.equal(reply.headers['x-ours'], 'kept')
  assert.equal(reply.headers['x-umlaut'], 'gr\u00fc\u00df')
  assert.equal(reply.headers.connection, undefined)
  assert.deepEqual(reply.headers['set-cookie'], ['longhouse_session=1', '__Host-b=2'])
  const got = JSON.parse(reply.body)
  assert.equal(got.method, 'PATCH')
  assert.equal(got.url, '//a%2Fb/../c?x=%00&y=%C3%A9')
  assert.equal(got.body, 'hello')
  assert.equal(got.headers['x-mine'], 'kept')
  assert.equal(got.headers['x-umlaut'], 'gr\u00fc\u00df')
  assert.equal(got.headers.host, `echo.example.test:${edge.securePort}`)
  assert.equal(got.headers.cookie, 'longhouse_session=s; __Host-x=1')
  assert.equal(got.headers['x-forwarded-proto'], 'https')
  assert.equal(got.headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(got.headers.te, undefined)
  assert.ok(!got.raw.some((name: string) => name.startsWith(':')))
  client.close()
})

it('serves many requests on one connection, each with the pages or its own instance', async () => {
  const client = session(edge, 'echo.example.test')
  const authority = `control.example.test:${edge.securePort}`
  const asked = Array.from({ length: 100 }, (_, i) => ask2(client, { ':path': `/${i}` }))
  const control = await ask2(client, { ':authority': authority })
  assert.equal(control.body, 'the control plane')
  const posted = await ask2(client, { ':authority': authority, ':method': 'POST' }, 'to the pages')
  assert.equal(posted.body, 'to the pages')
  const replies = await Promise.all(asked)
  assert.deepEqual(
    replies.map(({ body }) => JSON.parse(body).url),
    replies.map((_, i) => `/${i}`),
  )
  const stranger = await ask2(client, { ':authority': 'nobody.example.test' })
  assert.equal(stranger.status, 404)
  client.close()
})

const count = async (request: IncomingMessage, response: ServerResponse) => {
  const got = await text(request)
  response.writeEarlyHints({ link: '</a.css>; rel=preload', 'longhouse-instance': 'inst_counting' })
  response.writeHead(200, { Trailer: 'X-Sum' })
  response.write(`${request.headers['transfer-encoding']} ${got} ${request.trailers['x-upload']}`)
  response.addTrailers({ 'X-Sum': '42', 'Set-Cookie': 'a=1' })
  response.end()
}

it('passes a body of unknown length on, with its trailers, and those of the answer back', async () => {
  const counting = await startInstance('inst_counting', (request, response) => void count(request, response))
  route(edge, 'counting', counting)
  const client = session(edge, 'counting.example.test')
  const stream = client.request({ ':method': 'POST' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-upload': 'whole', 'x-forwarded-for': '6.6.6.6' }))
  stream.write('one ')
  stream.end('two')
  const seen: unknown[] = []
  stream.on('headers', headers => seen.push(headers[':status'], headers.link))
  stream.on('response', headers => seen.push(headers[':status']))
  stream.on('trailers', trailers => seen.push(trailers['x-sum'], trailers['set-cookie']))
  assert.equal(await text(stream), 'chunked one two whole')
  assert.deepEqual(seen, [103, '</a.css>; rel=preload', 200, '42', undefined])
  client.close()
  await counting.close()
})

it('answers HEAD, 204 and 304 without a body, and keeps what the instance says of it', async () => {
  const quiet = await startInstance('inst_quiet', (request, response) => {
    if (request.url === '/304') response.writeHead(304, { ETag: '"1"' }).end()
    else if (request.url === '/204') response.writeHead(204).end()
    else response.writeHead(200, { 'Content-Length': '5000' }).end()
  })
  route(edge, 'quiet', quiet)
  const client = session(edge, 'quiet.example.test')
  const head = await ask2(client, { ':method': 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '5000', ''])
  const none = await ask2(client, { ':path': '/204' })
  assert.deepEqual([none.status, none.headers['content-length'], none.body], [204, undefined, ''])
  const same = await ask2(client, { ':path': '/304' })
  assert.deepEqual([same.status, same.headers.etag, same.body], [304, '"1"', ''])
  const control = await ask2(client, {
    ':method': 'HEAD',
    ':authority': `control.example.test:${edge.securePort}`,
  })
  assert.deepEqual([control.status, control.body], [200, ''])
  client.close()
  await quiet.close()
})

it('asks for a body only when the instance wants it', async () => {
  const picky = await startInstance('inst_picky', (_, response) => response.writeHead(200).end())
  picky.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Longhouse-Instance', 'inst_picky')
    if (request.url === '/no') response.writeHead(413).end()
    else {
      response.writeContinue()
      void text(request).then(got => response.end(got))
    }
  })
  route(edge, 'picky', picky)
  const client = session(edge, 'picky.example.test')
  const wanted = client.request({ ':method': 'POST', expect: '100-continue' })
  wanted.once('continue', () => wanted.end('a body'))
  assert.equal(await text(wanted), 'a body')
  const unwanted = client.request({ ':method': 'POST', ':path': '/no', expect: '100-continue' })
  const [answered] = (await once(unwanted, 'response')) as [Record<string, unknown>]
  assert.equal(answered[':status'], 413)
  const odd = await ask2(client, { expect: 'a miracle' })
  assert.equal(odd.status, 417)
  client.destroy()
  await picky.close()
})

it('ends what a client gave up, and passes on no part of a body as a whole one', async () => {
  const seen: string[] = []
  const patient = await startInstance('inst_patient', (request, response) => {
    request.on('error', () => undefined)
    request.on('end', () => seen.push(`whole ${request.url}`))
    response.on('close', () => seen.push(`closed ${request.url}`))
    request.resume()
    if (request.url === '/answer') response.write('the start')
  })
  route(edge, 'patient', patient)
  const raw = await rawSession(edge, 'patient.example.test')
  const open = (stream: number, path: string) =>
    frame(frameTypes.headers, 4, stream, requestFrames(stream, head('patient', path)).subarray(9))
  const reset = (stream: number, code: number) =>
    frame(frameTypes.reset, 0, stream, Buffer.from([0, 0, 0, code]))
  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
    const stream = 1 + 4 * code
    const path = `/${code}`
    raw.send(open(stream, path))
    for (let i = 0; i < 10; i++) raw.send(frame(frameTypes.data, 0, stream, Buffer.alloc(10_000)))
    await eventually(() => patient.asked.some(({ url }) => url === path))
    raw.send(reset(stream, code))
    await eventually(() => seen.includes(`closed ${path}`))
  }
  raw.send(open(41, '/little'), frame(frameTypes.data, 0, 41, Buffer.alloc(10)), reset(41, 0))
  raw.send(requestFrames(43, head('patient', '/answer')))
  await eventually(() => raw.frames.some(({ type, stream }) => type === frameTypes.data && stream === 43))
  raw.send(reset(43, constants.NGHTTP2_CANCEL))
  await eventually(() => seen.includes('closed /answer'))
  assert.deepEqual(seen, ['closed /0', 'closed /8', 'whole /answer', 'closed /answer'])
  assert.equal(patient.asked.length, 3)
  raw.socket.destroy()
  await patient.close()
})

it('answers that a client does not read keep no one else out', async t => {
  const small = await startSecureEdge({ ROUTER_INSTANCE_LIMIT: '4' })
  t.after(() => small.stop())
  const brief = await startInstance('inst_brief', (_, response) => response.end('x'.repeat(300)))
  t.after(() => brief.close())
  route(small, 'brief', brief)
  const raw = await rawSession(small, 'brief.example.test')
  t.after(() => raw.socket.destroy())
  // The setting of the window of each stream: nothing of a body can be sent.
  raw.send(frame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])))
  const unread = [1, 3, 5, 7]
  for (const stream of unread) raw.send(requestFrames(stream, head('brief', '/')))
  const saw = (type: number) => raw.frames.filter(each => each.type === type).map(each => each.stream)
  await eventually(() => saw(frameTypes.headers).length === 4)
  const client = session(small, 'brief.example.test')
  t.after(() => client.destroy())
  await eventuallyTrue('others are served', async () => (await ask2(client, {})).status === 200)
  await eventually(() => saw(frameTypes.reset).length > 0)
  assert.deepEqual(saw(frameTypes.reset), [1])
  for (let i = 0; i < 10; i++) assert.equal((await ask2(client, {})).status, 200)
  assert.deepEqual(saw(frameTypes.reset), [1])
})

it('refusals that a client does not read keep no one else out', async t => {
  const small = await startSecureEdge({ ROUTER_INSTANCE_LIMIT: '2' })
  t.after(() => small.stop())
  small.router.set('stopped', { state: 'stopped', instanceId: 'inst_stopped' })
  const raw = await rawSession(small, 'stopped.example.test')
  t.after(() => raw.socket.destroy())
  raw.send(frame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])))
  for (const stream of [1, 3]) raw.send(requestFrames(stream, head('stopped', '/')))
  await eventually(() => raw.frames.filter(each => each.type === frameTypes.headers).length === 2)
  const client = session(small, 'stopped.example.test')
  t.after(() => client.destroy())
  for (let i = 0; i < 5; i++) assert.match((await ask2(client, { ':path': '/' })).body, /instance-stopped/)
})

it('a head that does not come whole ends the connection, and a quiet client that answers stays', async t => {
  const authority = makeAuthority(t)
  const { cert, key } = authority.sign('example.test')
  const paths: string[] = []
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] }, connection => {
    connection.on('error', () => undefined)
    openSession(connection, {
      idleMs: 600_000,
      headMs: 100,
      refuse: () => undefined,
      request: (request, response) => {
        paths.push(request.url ?? '')
        response.end()
      },
    })
  })
  const where = { securePort: await listening(server), authority }
  t.after(() => void server.close())
  const quiet = await rawSession(where, 'example.test')
  t.after(() => quiet.socket.destroy())
  // It answers pings, as a client does.
  quiet.socket.on('data', () => {
    for (const ping of quiet.frames.filter(({ type, flags }) => type === frameTypes.ping && flags === 0))
      quiet.send(frame(frameTypes.ping, 1, 0, ping.payload))
    quiet.frames.length = 0
  })
  const whole = requestFrames(1, head('any', '/whole'))
  const begun = await rawSession(where, 'example.test')
  begun.send(frame(frameTypes.headers, 0, 1, whole.subarray(9)))
  await begun.closed
  const flood = await rawSession(where, 'example.test')
  flood.send(frame(frameTypes.headers, 0, 1, whole.subarray(9)))
  const more = setInterval(() => flood.socket.writable && flood.send(frame(9, 0, 1)), 1)
  await flood.closed
  clearInterval(more)
  quiet.send(whole)
  await eventually(() => paths.length > 0)
  assert.deepEqual(paths, ['/whole'])
})

const head = (subdomain: string, path: string): RawHeader[] => [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', `${subdomain}.example.test`],
  [':path', path],
]

it('resets an answer that the instance cut short, so that it is not taken for complete', async () => {
  const cutting = await startInstance('inst_cutting', (_, response) => {
    response.write('the start')
    setImmediate(() => response.destroy())
  })
  route(edge, 'cutting', cutting)
  const client = session(edge, 'cutting.example.test')
  const stream = client.request({})
  await assert.rejects(text(stream))
  assert.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR)
  client.destroy()
  await cutting.close()
})

it('passes a large body both ways at the pace of the slower side', async () => {
  const mirror = await startInstance('inst_mirror', (request, response) => void request.pipe(response))
  route(edge, 'mirror', mirror)
  const client = session(edge, 'mirror.example.test')
  const big = 'abcdefgh'.repeat(1024 * 1024)
  const reply = await ask2(client, { ':method': 'POST' }, big)
  assert.equal(reply.body === big, true)
  client.close()
  await mirror.close()
})
