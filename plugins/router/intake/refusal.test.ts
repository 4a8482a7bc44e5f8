import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, route, startInstance } from '../wire.fixture.ts'

const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
const browser = { headers: { accept } }

/** A first round trip brings ten segments of 1,460 bytes; this leaves something for TLS. */
const firstRoundTripBytes = 14 * 1024

async function edgeOf(t: TestContext, env: Record<string, string> = {}): Promise<Edge> {
  const edge = await startEdge(env)
  t.after(() => edge.stop())
  return edge
}

/** The largest brand that the settings allow. */
function fullBrand(t: TestContext): Record<string, string> {
  const logo = Buffer.alloc(7 * 1024, 0xa7)
  logo.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80', 'latin1')
  const file = join(temporaryFolder(t), 'logo.png')
  writeFileSync(file, logo)
  return {
    BRAND_NAME: '<'.repeat(40),
    BRAND_LOGO: file,
    BRAND_COLOR: '#005f5f,#5fbfbf',
    BRAND_SUPPORT: `https://nightly.example/${'&'.repeat(170)}`,
  }
}

/** A whole answer with its head, as it is on the wire. */
async function raw(edge: Edge, request: string): Promise<string> {
  const socket = connect(edge.port, '127.0.0.1')
  socket.write(request)
  return await text(socket)
}

/** Pages in each state that an instance can be in, and those of the edge itself. */
async function* states(t: TestContext, edge: Edge): AsyncGenerator<string> {
  for (const state of ['starting', 'stopped', 'suspended', 'unhealthy'] as const) {
    edge.router.set('a', { state, instanceId: 'inst_a' })
    yield `instance-${state}`
  }
  route(edge, 'a', { id: 'inst_a', port: 1 })
  yield 'instance-unreachable'
  const other = await startInstance('inst_b')
  t.after(() => other.close())
  route(edge, 'a', { id: 'inst_a', port: other.port })
  yield 'instance-misrouted'
  const slow = await startInstance('inst_a', () => {})
  t.after(() => slow.close())
  route(edge, 'a', slow)
  yield 'instance-timed-out'
  edge.router.remove('a')
  yield 'unknown-address'
}

/** Status, seconds to wait, whether the page waits by itself, and what a person can do. */
const expected: Record<
  string,
  [status: number, retryAfter: string | undefined, refresh: boolean, link: string | null]
> = {
  'instance-starting': [503, '2', true, null],
  'instance-stopped': [503, '30', true, '/instances'],
  'instance-suspended': [503, '3600', false, '/instances'],
  'instance-unhealthy': [503, '10', true, null],
  'instance-unreachable': [502, undefined, false, ''],
  'instance-misrouted': [502, '5', true, null],
  'instance-timed-out': [504, undefined, false, ''],
  'unknown-address': [404, undefined, false, '/'],
}

test('each page has its status, says when to come back, and waits by itself only where that helps', async t => {
  const edge = await edgeOf(t, { ROUTER_RESPONSE_TIMEOUT: '300ms', ROUTER_HOLD_TIMEOUT: '1ms' })
  const seen = new Set<string>()
  const control = `http://control.localhost:${edge.port}`
  for await (const code of states(t, edge)) {
    seen.add(code)
    const [status, retryAfter, refresh, link] = expected[code] ?? []
    const page = await ask(edge, 'a.localhost', browser)
    assert.deepEqual([page.status, page.headers['retry-after']], [status, retryAfter], code)
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8', code)
    assert.equal(page.headers['cache-control'], 'no-store')
    assert.match(page.headers.vary ?? '', /\bAccept\b/)
    const meta = /http-equiv="refresh" content="(\d+)"/.exec(page.body)?.[1]
    assert.equal(meta, refresh ? retryAfter : undefined, code)
    const href = /<a href="([^"]*)"/.exec(page.body)?.[1]
    const leadsTo = link === '' || link === null ? link : `${control}${link === '/' ? '' : link}`
    assert.equal(href ?? null, leadsTo, code)

    const problem = await ask(edge, 'a.localhost', { headers: { accept: '*/*' } })
    assert.equal(problem.headers['content-type'], 'application/problem+json', code)
    const { type, title, detail } = JSON.parse(problem.body)
    assert.equal(type, `urn:longhouse:problem:${code}`)
    assert.ok(page.body.includes(`<h1>${title}</h1>`), code)
    assert.ok(detail.length > 10)
    assert.deepEqual(problem.headers['retry-after'], retryAfter, code)
  }
  assert.deepEqual([...seen].sort(), Object.keys(expected).sort())
})

test('a page that answers a form does not reload itself, and says what became of what was sent', async t => {
  const edge = await edgeOf(t, { ROUTER_RESPONSE_TIMEOUT: '300ms', ROUTER_HOLD_TIMEOUT: '1ms' })
  const fate: Record<string, RegExp | null> = {
    'instance-unreachable': /What you sent may have arrived\. Check that before/,
    'instance-misrouted': /may have arrived/,
    'instance-timed-out': /may have arrived/,
    'unknown-address': null,
  }
  for await (const code of states(t, edge)) {
    const form = { method: 'POST', body: 'text=a+long+one', ...browser }
    const page = await ask(edge, 'a.localhost', form)
    assert.equal(page.status, expected[code]?.[0], code)
    assert.doesNotMatch(page.body, /http-equiv="refresh"|This page reloads|Try again</, code)
    const said =
      code in fate ? fate[code] : /What you sent did not arrive\. To send it again, reload this page\./
    if (said) assert.match(page.body, said, code)
    else assert.doesNotMatch(page.body, /What you sent/, code)
  }
})

test('a head is that of the page, without the page, also for clients of HTTP/1.0', async t => {
  const edge = await edgeOf(t)
  const get = await ask(edge, 'a.localhost', browser)
  const head = await ask(edge, 'a.localhost', { method: 'HEAD', ...browser })
  assert.deepEqual([head.status, head.body], [404, ''])
  for (const name of ['content-type', 'content-length', 'content-security-policy', 'vary'])
    assert.equal(head.headers[name], get.headers[name], name)
  const old = await raw(edge, `GET / HTTP/1.0\r\nHost: a.localhost\r\nAccept: ${accept}\r\n\r\n`)
  assert.match(old, /^HTTP\/1\.1 404 Not Found\r\n/)
  const withoutId = (text: string) => text.replaceAll(/req_\w+-\w+/g, 'req_')
  assert.ok(withoutId(old).endsWith(withoutId(get.body)))
})

test('with the largest brand, each page fits into one round trip and loads nothing', async t => {
  const edge = await edgeOf(t, {
    ...fullBrand(t),
    ROUTER_RESPONSE_TIMEOUT: '300ms',
    ROUTER_HOLD_TIMEOUT: '1ms',
  })
  for await (const code of states(t, edge)) {
    const answer = await raw(
      edge,
      `GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\nAccept: ${accept}\r\n\r\n`,
    )
    assert.ok(answer.length < firstRoundTripBytes, `${code}: ${answer.length} bytes`)
    assert.match(answer, /<img src="data:image\/png;base64,[^"]+" width="56" height="28" alt=""\/>/)
    assert.match(answer, /Help: <a href="https:\/\/nightly\.example\/&amp;/)
    assert.match(answer, /--accent:light-dark\(#005f5f,#5fbfbf\)/)
    assert.doesNotMatch(answer, /Longhouse/)
    const style = /<style>([\s\S]*?)<\/style>/.exec(answer)?.[1] ?? ''
    const policy = /content-security-policy: (.*)\r\n/i.exec(answer)?.[1] ?? ''
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    const others = [...answer.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address = '']) => address)
    assert.ok(others.length > 1 && !others.some(address => address.startsWith('/')), others.join())
  }
})

test('a request that cannot be read gets a page with the brand, too', async t => {
  const edge = await edgeOf(t, { BRAND_NAME: 'Nightly', BRAND_SUPPORT: 'help@nightly.example' })
  const cookies = 'x'.repeat(90_000)
  const answer = await raw(
    edge,
    `GET / HTTP/1.1\r\nHost: a.localhost\r\nAccept: ${accept}\r\nCookie: a=${cookies}\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 431 /)
  if (/text\/html/.test(answer)) {
    assert.match(answer, /<svg[\s\S]*Nightly[\s\S]*Help: <a href="mailto:help@nightly\.example">/)
    assert.doesNotMatch(answer, /Longhouse/)
  }
})

test('the page of a limit reloads when there is room again', async t => {
  const edge = await edgeOf(t, { ROUTER_CLIENT_RATE: '1' })
  const instance = await startInstance('inst_a')
  t.after(() => instance.close())
  route(edge, 'a', instance)
  for (let tries = 0; tries < 100; tries++) {
    const page = await ask(edge, 'a.localhost', browser)
    if (page.status === 200) continue
    assert.equal(page.status, 429)
    const seconds = page.headers['retry-after']
    assert.match(page.body, new RegExp(`http-equiv="refresh" content="${seconds}"`))
    assert.match(page.body, /<h1>Too many requests from your address<\/h1>/)
    return
  }
  assert.fail('the limit was never reached')
})
