import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, it } from 'node:test'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, type Instance, route, startInstance, wire } from '../wire.fixture.ts'
import { controlHeaders } from './control-headers.ts'
import type { Origin } from './peer.ts'

let edge: Edge
let echo: Instance

before(async () => {
  edge = await startEdge()
  echo = await startInstance('inst_echo', (request, response) => void reflect(request, response))
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

const reflect = async (request: IncomingMessage, response: ServerResponse) => {
  const body = await text(request)
  response.writeHead(207, 'Fine By Me', {
    'X-Ours': 'kept',
    Connection: 'x-hop',
    'X-Hop': 'dropped',
    'Proxy-Authenticate': 'dropped',
    'Set-Cookie': ['longhouse_session=1', '__Host-b=2'],
    'Content-Type': 'application/json',
  })
  response.end(
    JSON.stringify({
      method: request.method,
      url: request.url,
      raw: request.rawHeaders,
      headers: request.headers,
      trailers: request.trailers,
      body,
    }),
  )
}

const seen = async (headers: Record<string, string>, via: Edge = edge) =>
  JSON.parse((await ask(via, 'echo.localhost', { headers })).body).headers as Record<string, string>

it('passes method, target, body, status, reason and headers on', async () => {
  const reply = await ask(edge, 'echo.localhost', {
    method: 'PATCH',
    path: '//a%2Fb/../c?x=%00&y=é'.replace('é', '%C3%A9'),
    headers: { 'x-mine': 'kept', 'content-type': 'text/plain', 'content-length': '5' },
    body: 'hello',
  })
  assert.equal(reply.status, 207)
  assert.equal(reply.message.statusMessage, 'Fine By Me')
  assert.equal(reply.headers['x-ours'], 'kept')
  assert.deepEqual(reply.headers['set-cookie'], ['longhouse_session=1', '__Host-b=2'])
  const got = JSON.parse(reply.body)
  assert.equal(got.method, 'PATCH')
  assert.equal(got.url, '//a%2Fb/../c?x=%00&y=%C3%A9')
  assert.equal(got.body, 'hello')
  assert.equal(got.headers['x-mine'], 'kept')
  assert.equal(got.headers.host, 'echo.localhost')
})

it('drops hop-by-hop headers both ways, listed ones too', async () => {
  const reply = await wire(
    edge,
    [
      'GET / HTTP/1.1',
      'Host: echo.localhost',
      'Connection: close, X-Secret-Hop, Content-Length, Host',
      'X-Secret-Hop: 1',
      'Keep-Alive: timeout=1',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Connection: close',
      'TE: trailers',
      'X-End: 1\r\n\r\n',
    ].join('\r\n'),
  ).ended()
  const { headers } = JSON.parse(/\{[\s\S]*\}/.exec(reply)?.[0] ?? '')
  for (const name of ['x-secret-hop', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te']) {
    assert.equal(headers[name], undefined, name)
  }
  assert.equal(headers.connection, 'keep-alive')
  assert.equal(headers['x-end'], '1')
  assert.equal(headers.host, 'echo.localhost')
  assert.doesNotMatch(reply, /dropped|x-hop/i)
})

it('sets the forwarded headers itself, and ignores the client’s', async () => {
  const got = await seen({
    'x-forwarded-for': '6.6.6.6',
    'X-FORWARDED-PROTO': 'https',
    'x-forwarded-host': 'bank.example',
    'x-forwarded-port': '443',
    'x-real-ip': '6.6.6.6',
    forwarded: 'for=6.6.6.6',
    'longhouse-instance': 'inst_other',
  })
  assert.equal(got['x-forwarded-for'], '127.0.0.1')
  assert.equal(got['x-forwarded-proto'], 'http')
  assert.equal(got['x-forwarded-host'], 'echo.localhost')
  assert.equal(got['longhouse-instance'], 'inst_echo')
  for (const name of ['x-forwarded-port', 'x-real-ip']) assert.equal(got[name], undefined, name)
  assert.equal(got.forwarded, 'for=127.0.0.1;proto=http;host="echo.localhost"')
})

it('trusts configured proxies, and one on loopback in mode behind', async () => {
  const said = {
    'x-forwarded-for': '6.6.6.6, 198.51.100.7, 10.1.2.3',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'echo.example',
    'x-forwarded-port': '443',
  }
  for (const env of [
    { LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' },
    { ROUTER_MODE: 'behind', LONGHOUSE_TRUSTED_PROXIES: '10.0.0.0/8' },
  ]) {
    const behind = await startEdge(env)
    route(behind, 'echo', echo)
    const got = await seen(said, behind)
    assert.equal(got['x-forwarded-for'], '198.51.100.7')
    assert.equal(got['x-forwarded-proto'], 'https')
    assert.equal(got['x-forwarded-host'], 'echo.example')
    assert.equal(got['x-forwarded-port'], '443')
    await behind.stop()
  }
})

it('does not let a header value become a header', async () => {
  const answer = await wire(
    edge,
    'GET / HTTP/1.1\r\nHost: echo.localhost\r\nX-A: b\rLonghouse-Instance: inst_other\r\nConnection: close\r\n\r\n',
  ).ended()
  assert.match(answer, /^HTTP\/1\.1 400 /)
  const got = await seen({ 'x-umlaut': 'gr\u00fc\u00df' })
  assert.equal(got['x-umlaut'], 'gr\u00fc\u00df')
})

it('refuses what could be read as two requests', async () => {
  const host = 'Host: echo.localhost\r\n'
  const before = echo.asked.length
  for (const head of [
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
    'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
    'Content-Length: +4\r\n\r\nabcd',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n',
  ]) {
    const answer = await wire(edge, `POST / HTTP/1.1\r\n${host}Connection: close\r\n${head}`).ended()
    assert.match(answer, /^HTTP\/1\.1 (400|501|502) /, head)
    assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, head)
  }
  const coded = `POST / HTTP/1.1\r\n${host}Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`
  assert.match(await wire(edge, coded).ended(), /^HTTP\/1\.1 501 /)
  assert.ok(echo.asked.length <= before + 1)
  assert.equal((await ask(edge, 'echo.localhost')).status, 207)
})

it('refuses a head that is too large', async () => {
  const filler = `X-Filler: ${'x'.repeat(20_000)}\r\n`
  const answer = await wire(edge, `GET / HTTP/1.1\r\nHost: echo.localhost\r\n${filler}\r\n`).ended()
  assert.match(answer, /^HTTP\/1\.1 431 /)
  // The largest that passes here leaves an instance room for what the edge adds.
  const most = await ask(edge, 'echo.localhost', { headers: { 'x-filler': 'x'.repeat(15 * 1024 - 120) } })
  assert.equal(most.status, 207)
})

it('passes trailers on, except those with a special meaning', async () => {
  const answer = await wire(
    edge,
    'POST / HTTP/1.1\r\nHost: echo.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '3\r\nabc\r\n0\r\nX-Sum: 42\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n',
  ).ended()
  const got = JSON.parse(/\{[\s\S]*\}/.exec(answer)?.[0] ?? '')
  assert.equal(got.body, 'abc')
  assert.deepEqual(got.trailers, { 'x-sum': '42' })
})

it('restricts a cookie to the instance that sets it', async () => {
  const baker = await startInstance('inst_baker', (_, response) => {
    response.setHeader('Set-Cookie', [
      'longhouse_session=1; Domain=.localhost; Path=/',
      '__Host-longhouse_sso=domain; path=/; domain = localhost',
      '__Host-c=3; HttpOnly',
    ])
    response.end()
  })
  route(edge, 'baker', baker)
  const { headers } = await ask(edge, 'baker.localhost')
  assert.deepEqual(headers['set-cookie'], [
    'longhouse_session=1; Path=/',
    '__Host-longhouse_sso=domain; path=/',
    '__Host-c=3; HttpOnly',
  ])
  await baker.close()
})

it('drops response headers that would affect other hosts', async () => {
  const loud = await startInstance('inst_loud', (request, response) => {
    if (request.url === '/plain') response.setHeader('Strict-Transport-Security', 'includeSubDomains')
    else {
      response.setHeader('Strict-Transport-Security', 'includeSubDomains; Max-Age="31536000"; preload')
    }
    response.setHeader('Clear-Site-Data', '"*"')
    response.setHeader('Alt-Svc', 'h3="evil.example:443"')
    response.setHeader('X-Accel-Redirect', '/etc/passwd')
    response.setHeader('X-Ours', 'kept')
    response.end()
  })
  route(edge, 'loud', loud)
  const { headers } = await ask(edge, 'loud.localhost')
  assert.equal(headers['strict-transport-security'], 'max-age=31536000')
  for (const name of ['clear-site-data', 'alt-svc', 'x-accel-redirect'])
    assert.equal(headers[name], undefined)
  assert.equal(headers['x-ours'], 'kept')
  const plain = await ask(edge, 'loud.localhost', { path: '/plain' })
  assert.equal(plain.headers['strict-transport-security'], undefined)
  await loud.close()
})

it('limits how many cookies an instance sets, because neighbours share the jar', async () => {
  const greedy = await startInstance('inst_greedy', (_, response) => {
    const many = Array.from({ length: 200 }, (_, i) => `__Host-n${i}=${i}; Path=/; Secure`)
    response.setHeader('Set-Cookie', [
      'plain=1',
      `__Host-long=${'x'.repeat(5000)}`,
      ...many,
      'longhouse_session=s',
    ])
    response.end()
  })
  route(edge, 'greedy', greedy)
  const set = async (cookie: string) =>
    (await ask(edge, 'greedy.localhost', { headers: { cookie } })).headers['set-cookie'] ?? []
  const first = await set('')
  assert.equal(first.length, 9)
  assert.ok(first.includes('longhouse_session=s'))
  const existing = first.map(each => each.split(';', 1)[0]).join('; ')
  const second = await set(existing)
  assert.deepEqual(
    second.map(each => each.split('=', 1)[0]),
    first.map(each => each.split('=', 1)[0]),
    'what is there may change, and nothing is added',
  )
  assert.deepEqual(await set(existing.replaceAll('__Host-n', '__Host-m')), ['longhouse_session=s'])
  await greedy.close()
})

it('passes on the cookies of its own host, however many others there are', async () => {
  const planted = Array.from({ length: 12 }, (_, i) => `planted_${i}=${'x'.repeat(4000)}`)
  const cookie = [
    ...planted,
    'longhouse_session=mine',
    ' __Host-longhouse_sso=a=b',
    'longhouse_account=x',
  ].join(';')
  assert.equal((await seen({ cookie })).cookie, 'longhouse_session=mine; __Host-longhouse_sso=a=b')
  assert.equal((await seen({ cookie: planted.join('; ') })).cookie, undefined)
  assert.equal((await ask(edge, 'control.localhost', { headers: { cookie } })).body, 'the control plane')
})

it('answers pipelined requests in order', async () => {
  const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: echo.localhost\r\n\r\n`
  const line = wire(edge, one('/1') + one('/2') + one('/3'))
  await line.until(/"\/1"[\s\S]*"\/2"[\s\S]*"\/3"/)
  line.socket.destroy()
})

it('passes no header of the connection to the control plane', () => {
  const origin = {} as Origin
  const sent = ['Connection', 'X-Hop, Host, Transfer-Encoding', 'X-Hop', 'no', 'Host', 'a.test']
  sent.push('Proxy-Authorization', 'no', 'TE', 'trailers', 'Expect', '100-continue')
  sent.push('Transfer-Encoding', 'chunked', 'Authorization', 'yes')
  const passed = controlHeaders(sent, origin).filter((_, i) => i % 2 === 0)
  const kept = ['Host', 'Transfer-Encoding', 'Authorization']
  const ours = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Connection']
  assert.deepEqual(passed, [...kept, ...ours])
})
