import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startEdge } from '../edge.fixture.ts'
import { gather } from '../exchange/arrival.ts'
import { ask, eventually, route, startInstance } from '../wire.fixture.ts'

/** An edge behind a proxy on this machine, so that a test can be many clients. */
async function crowdedEdge(t: TestContext, env: Record<string, string>) {
  const edge = await startEdge({ ROUTER_MODE: 'behind', ...env })
  const open: ServerResponse[] = []
  const instance = await startInstance('inst_a', (incoming, response) => {
    if (incoming.url === '/open') open.push(response)
    else
      void text(incoming).then(
        body => response.end(`got ${body}`),
        () => undefined,
      )
  })
  route(edge, 'a', instance)
  const sockets: Socket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await edge.stop()
    await instance.close()
  })
  const from = (client: string) => ({ 'x-forwarded-for': client })
  return {
    edge,
    instance,
    open,
    ask: (client: string, options: { method?: string; path?: string; body?: string } = {}) =>
      ask(edge, 'a.localhost', { ...options, headers: from(client) }),
    /** Announces a body and sends only a byte of it. */
    trickle: (client: string, extra = '') => {
      const socket = connect(edge.port, '127.0.0.1')
      const line = { received: '', over: false }
      sockets.push(socket)
      socket.setEncoding('latin1').on('data', piece => {
        line.received += piece
      })
      socket.on('error', () => undefined)
      socket.on('close', () => {
        line.over = true
      })
      socket.write(
        `POST /upload HTTP/1.1\r\nHost: a.localhost\r\nX-Forwarded-For: ${client}\r\nContent-Length: 1000\r\n${extra}\r\nx`,
      )
      return line
    },
  }
}

test('a thousand slow bodies keep no one else out, from one address or from a thousand', async t => {
  const { instance, ask, trickle } = await crowdedEdge(t, {})
  for (const address of [() => '198.51.100.1', (i: number) => `203.0.${i >> 8}.${i & 255}`]) {
    const slow = Array.from({ length: 1000 }, (_, i) => trickle(address(i)))
    for (const client of ['192.0.2.1', '198.51.100.1']) {
      for (let i = 0; i < 20; i++) {
        assert.equal((await ask(client)).body, 'got ')
        assert.equal((await ask(client, { method: 'POST', body: 'a form' })).body, 'got a form')
      }
    }
    assert.ok(slow.filter(line => !line.over).length <= 1024)
  }
  assert.ok(
    instance.asked.every(({ url }) => url === '/'),
    'the instance heard of none of them',
  )
})

test('bodies that wait for 100 Continue are evicted as well', async t => {
  const { ask, trickle } = await crowdedEdge(t, { ROUTER_CLIENT_LIMIT: '20' })
  const slow = Array.from({ length: 100 }, () => trickle('198.51.100.1', 'Expect: 100-continue\r\n'))
  await eventually(() => slow.filter(line => /^HTTP\/1\.1 503 /m.test(line.received)).length === 80)
  assert.equal((await ask('198.51.100.1')).status, 200)
  assert.equal((await ask('192.0.2.1', { method: 'POST', body: 'x' })).body, 'got x')
})

test('a client at its limit is refused, others are served, and each finished request makes room', async t => {
  const { open, ask } = await crowdedEdge(t, { ROUTER_CLIENT_LIMIT: '3', ROUTER_INSTANCE_LIMIT: '5' })
  const openOne = (client: string) => ask(client, { path: '/open' })
  const mine = [openOne('198.51.100.1'), openOne('198.51.100.1'), openOne('198.51.100.1')]
  await eventually(() => open.length === 3)
  const refused = await ask('198.51.100.1')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], '5')
  assert.equal(JSON.parse(refused.body).type, 'urn:longhouse:problem:client-crowded')
  assert.equal((await ask('192.0.2.1')).status, 200)

  const others = [openOne('192.0.2.1'), openOne('192.0.2.2')]
  await eventually(() => open.length === 5)
  const crowded = await ask('192.0.2.3')
  assert.equal(crowded.status, 503, 'the instance has its most')
  assert.equal(JSON.parse(crowded.body).type, 'urn:longhouse:problem:instance-crowded')
  for (const response of open.splice(0)) response.end('done')
  for (const reply of await Promise.all([...mine, ...others])) assert.equal(reply.body, 'done')
  for (let i = 0; i < 10; i++) assert.equal((await ask('198.51.100.1')).status, 200)
})

test('an IPv6 address group is one client, in whatever form a proxy writes it', async t => {
  const { open, ask } = await crowdedEdge(t, { ROUTER_CLIENT_LIMIT: '2' })
  const first = [
    ask('[2001:db8:1:2::1]:50001', { path: '/open' }),
    ask('2001:db8:1:2:3::', { path: '/open' }),
  ]
  await eventually(() => open.length === 2)
  assert.equal((await ask('2001:db8:1:2:ffff::9')).status, 429)
  assert.equal((await ask('2001:db8:1:3::1')).status, 200)
  for (const response of open) response.end()
  await Promise.all(first)
})

test('held requests count against the limits, and one client cannot take all of them', async t => {
  const { edge, instance, ask } = await crowdedEdge(t, { ROUTER_CLIENT_LIMIT: '2' })
  edge.router.set('a', { state: 'starting', instanceId: 'inst_a' })
  const waiting = [1, 2, 3].map(() => ask('198.51.100.1'))
  assert.match((await Promise.race(waiting)).body, /client-crowded/)
  const other = ask('192.0.2.1', { method: 'POST', body: 'kept' })
  route(edge, 'a', instance)
  assert.equal((await other).body, 'got kept')
  const statuses = (await Promise.all(waiting)).map(reply => reply.status)
  assert.deepEqual(statuses.sort(), [200, 200, 429])
})

test('an upload larger than the buffer is streamed, and never evicted', async t => {
  const { edge, instance, ask } = await crowdedEdge(t, { ROUTER_CLIENT_LIMIT: '1' })
  const outgoing = request({
    port: edge.port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { host: 'a.localhost', 'x-forwarded-for': '198.51.100.1', 'content-length': '200000' },
    agent: false,
  })
  const answered = new Promise<string>((resolve, reject) => {
    outgoing.on('response', message => void text(message).then(resolve, reject))
    outgoing.on('error', reject)
  })
  outgoing.write('x'.repeat(150_000))
  await eventually(() => instance.asked.length === 1)
  assert.equal((await ask('198.51.100.1')).status, 429)
  outgoing.end('x'.repeat(50_000))
  assert.equal((await answered).length, 200_004)
})

test('a body that arrives after its request was refused is not passed on', async t => {
  const arrivals = [false, true].map(refused => {
    const incoming = new PassThrough()
    const response = Object.assign(new PassThrough(), { headersSent: false })
    const ready = t.mock.fn()
    gather(incoming as never, response as never, null, () => undefined, ready)
    response.headersSent = refused
    incoming.end('all of it')
    return { incoming, ready }
  })
  await Promise.all(
    arrivals.map(async ({ incoming, ready }, refused) => {
      await once(incoming, 'end')
      assert.equal(ready.mock.callCount(), refused ? 0 : 1)
    }),
  )
})
