import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { startEdge } from '../edge.fixture.ts'
import { ask, eventually, route, startInstance, wire } from '../wire.fixture.ts'

/** An edge whose clock stands still until the test moves it. */
async function limitedEdge(t: TestContext, env: Record<string, string> = {}) {
  let now = 0
  const clock: Clock = { ...systemClock, monotonic: () => now }
  const edge = await startEdge({ ROUTER_MODE: 'behind', ...env }, clock)
  const echo = (request: IncomingMessage, response: ServerResponse) =>
    void text(request).then(
      body => response.end(`got ${body.length}`),
      () => undefined,
    )
  const instance = await startInstance('inst_a', echo)
  const other = await startInstance('inst_b', echo)
  route(edge, 'a', instance)
  route(edge, 'b', other)
  t.after(async () => {
    await edge.stop()
    await instance.close()
    await other.close()
  })
  const problem = async (client: string, host = 'a.localhost') => {
    const reply = await ask(edge, host, { headers: { 'x-forwarded-for': client } })
    if (reply.status === 200) return 'passed'
    const type = JSON.parse(reply.body).type.replace('urn:longhouse:problem:', '')
    return [reply.status, type, reply.headers['retry-after']].join(' ')
  }
  const wait = (seconds: number) => {
    now += seconds * 1000
  }
  return { edge, instance, problem, wait }
}

const burst = async (count: number, one: () => Promise<string>) => {
  const answers: string[] = []
  for (let i = 0; i < count; i++) answers.push(await one())
  return answers.filter(answer => answer === 'passed').length
}

test('a client is limited to its rate at all instances together, and others are not', async t => {
  const { problem, wait } = await limitedEdge(t, { ROUTER_CLIENT_RATE: '2' })
  let i = 0
  assert.equal(await burst(30, () => problem('192.0.2.1', `${i++ % 2 ? 'a' : 'b'}.localhost`)), 20)
  assert.equal(await problem('192.0.2.1'), '429 client-rate 1')
  assert.equal(await problem('192.0.2.2'), 'passed')
  wait(1.5)
  assert.equal(await burst(10, () => problem('192.0.2.1')), 3)
})

test('an instance is limited to its rate, and its neighbours are not', async t => {
  const { edge, problem, wait } = await limitedEdge(t, { ROUTER_INSTANCE_RATE: '1' })
  let client = 0
  const next = (host?: string) => problem(`192.0.2.${client++}`, host)
  assert.equal(await burst(30, next), 20)
  assert.equal(await next(), '503 instance-rate 1')
  assert.equal(await next('b.localhost'), 'passed')
  wait(3)
  assert.equal(await burst(10, next), 3)
  // A plan may allow more, at once and without a restart, and less again.
  edge.router.setRule('a', 'limits', { requestsPerSecond: 100 })
  assert.equal(await burst(210, () => problem('192.0.2.1')), 200)
  edge.router.setRule('a', 'limits', null)
  assert.equal(await burst(30, () => problem('192.0.2.1')), 20)
})

test('a rule that changes anything but the limits leaves what an instance has used of its rate', async t => {
  const { edge, problem, wait } = await limitedEdge(t)
  edge.router.setRule('a', 'limits', { requestsPerSecond: 1 })
  let client = 0
  const next = () => problem(`192.0.2.${client++}`)
  assert.equal(await burst(30, next), 20)
  edge.router.setRule('a', 'hosts', ['jobs.acme.test'])
  assert.equal(await burst(30, next), 0)
  edge.router.setRule('a', 'limits', { requestsPerSecond: 1 })
  assert.equal(await burst(30, next), 0)
  wait(3)
  assert.equal(await burst(10, next), 3)
})

test('a plan limits the requests in progress of its instance', async t => {
  const { edge, problem } = await limitedEdge(t)
  edge.router.setRule('a', 'limits', { requests: 2 })
  const open: ServerResponse[] = []
  const slow = await startInstance('inst_slow', (_, response) => void open.push(response))
  route(edge, 'a', slow)
  const first = [problem('192.0.2.1'), problem('192.0.2.2')]
  await eventually(() => open.length === 2)
  assert.equal(await problem('192.0.2.3'), '503 instance-crowded 5')
  edge.router.setRule('a', 'limits', { requests: 3 })
  first.push(problem('192.0.2.3'))
  await eventually(() => open.length === 3)
  for (const response of open) response.end()
  assert.deepEqual(await Promise.all(first), ['passed', 'passed', 'passed'])
  await slow.close()
})

test('a body is limited whether it says its length or not, and nothing of a longer one takes effect', async t => {
  const { edge, instance } = await limitedEdge(t, { ROUTER_BODY_LIMIT: '200k' })
  const post = (length: number, chunked: boolean) => {
    const head = `POST / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n`
    const piece = 'x'.repeat(10_000)
    const line = wire(
      edge,
      `${head}${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`}\r\n\r\n`,
    )
    for (let sent = 0; sent < length; sent += piece.length)
      line.write(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece)
    if (chunked) line.write('0\r\n\r\n')
    return line.ended()
  }
  for (const chunked of [false, true]) {
    assert.match(await post(200_000, chunked), /got 200000$/)
    const refused = await post(300_000, chunked)
    assert.match(refused, /^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n[\s\S]*too-large[\s\S]*200 KiB/)
    assert.equal(refused.match(/^HTTP/gm)?.length, 1)
  }
  edge.router.setRule('a', 'limits', { bodyBytes: 20_000 })
  const before = instance.asked.length
  // Small enough to be gathered: the instance does not even see its beginning.
  for (const chunked of [false, true]) assert.match(await post(30_000, chunked), /^HTTP\/1\.1 413 /)
  assert.equal(instance.asked.length, before)
  assert.match(await post(20_000, true), /got 20000$/)
})

test('a client with its most connections gets no other, and each that ends makes room', async t => {
  const edge = await startEdge({ ROUTER_CLIENT_CONNECTIONS: '3' })
  const instance = await startInstance('inst_a')
  route(edge, 'a', instance)
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  const get = 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n'
  const lines = [wire(edge, get), wire(edge, get), wire(edge, get)]
  for (const line of lines) await line.until(/inst_a$/)
  const refused = await wire(edge, get).ended()
  assert.match(refused, /^HTTP\/1\.1 429 [\s\S]*Retry-After: 5\r\n[\s\S]*client-connections/)
  assert.equal(refused.match(/^HTTP/gm)?.length, 1)
  assert.equal(instance.asked.length, 3)
  lines[0]?.socket.destroy()
  await eventually(() => lines[0]?.socket.destroyed)
  await lines[0]?.ended()
  assert.equal((await ask(edge, 'control.localhost')).status, 200)
})

test('connections of a trusted proxy are not counted', async t => {
  const { edge, problem } = await limitedEdge(t, { ROUTER_CLIENT_CONNECTIONS: '1' })
  const idle = [wire(edge, ''), wire(edge, ''), wire(edge, '')]
  assert.equal(await problem('192.0.2.1'), 'passed')
  for (const { socket } of idle) socket.destroy()
})
