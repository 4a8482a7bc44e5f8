import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { BootError } from '../../../src/boot-error.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, type Instance, listening, route, startInstance, wire } from '../wire.fixture.ts'
import { childrenOf, rawLink } from './workers.fixture.ts'

let edge: Edge
let instance: Instance
before(async () => {
  edge = await startEdge({ ROUTER_WORKERS: '2', ROUTER_HOLD_TIMEOUT: '300ms' })
  instance = await startInstance('inst_a', (request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: first\n\n')
    } else response.end(`a ${request.headers['x-forwarded-for']}`)
  })
  instance.server.on('upgrade', (_, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    )
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  route(edge, 'a', instance)
})
after(async () => {
  await edge.stop()
  await instance.close()
})

const figure = async (name: string) => (await edge.figures()).get(name) ?? 0

it('workers pass requests to instances, and their counts add up', async () => {
  const before = await figure('longhouse_edge_requests_total{status="2xx"}')
  for (let i = 0; i < 20; i++) assert.equal((await ask(edge, 'a.localhost')).body, 'a 127.0.0.1')
  assert.equal(await figure('longhouse_edge_requests_total{status="2xx"}'), before + 20)
  assert.equal(await figure('longhouse_edge_workers{state="serving"}'), 2)
  assert.equal(await figure('longhouse_edge_connected'), 1)
})

it('workers pass event streams and other protocols', async () => {
  const stream = wire(edge, 'GET /events HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
  await stream.until(/data: first/)
  stream.socket.destroy()
  const tunnel = wire(
    edge,
    'GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
  )
  await tunnel.until(/101 Switching/)
  tunnel.write('ping')
  await tunnel.until(/\r\n\r\nping$/)
  tunnel.socket.destroy()
})

it('the control plane learns the client’s address from the edge, and from no one else', async () => {
  for (const forged of [{}, { 'X-Forwarded-For': '203.0.113.9' }, { Forwarded: 'for=203.0.113.9' }]) {
    const headers = forged as Record<string, string>
    assert.equal((await ask(edge, 'control.localhost', { path: '/client', headers })).body, '127.0.0.1')
  }
  const behind = await startEdge({ ROUTER_WORKERS: '1', ROUTER_MODE: 'behind' })
  const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' }
  assert.equal((await ask(behind, 'control.localhost', { path: '/client', headers })).body, '203.0.113.9')
  await behind.stop()
})

it('bodies reach the control plane, plain, chunked and after 100 Continue', async () => {
  assert.equal((await ask(edge, 'control.localhost', { method: 'POST', body: 'plain' })).body, 'plain')
  const chunked = wire(
    edge,
    'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n',
  )
  assert.match(await chunked.ended(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*onetwo/)
  const expecting = wire(
    edge,
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
  )
  await expecting.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  expecting.write('body')
  assert.match(await expecting.ended(), /body$/)
})

it('an instance that is not itself is reported to the control plane', async () => {
  const other = await startInstance('inst_other')
  route(edge, 'moved', { id: 'inst_moved', port: other.port })
  assert.equal((await ask(edge, 'moved.localhost')).status, 502)
  const event = await eventually('the report', () => edge.misrouted.find(each => each.subdomain === 'moved'))
  assert.equal(event.instanceId, 'inst_moved')
  await other.close()
})

it('changes arrive in order', async () => {
  const other = await startInstance('inst_b', (_, response) => response.end('b'))
  for (let i = 0; i < 200; i++) {
    route(edge, 'b', { id: 'inst_b', port: 1 })
    edge.router.remove('b')
    edge.router.set('b', { state: 'stopped', instanceId: 'inst_b' })
    route(edge, 'b', other)
  }
  assert.equal((await ask(edge, 'b.localhost')).body, 'b')
  edge.router.remove('b')
  assert.equal((await ask(edge, 'b.localhost')).status, 404)
  await other.close()
})

/** The supervisor of the edge, a child of this process. */
const supervisor = () => {
  const [pid = 0] = childrenOf(process.pid).filter(each =>
    readFileSync(`/proc/${each}/cmdline`, 'utf8').includes(edge.dataRoot),
  )
  return pid
}

it('a worker that is killed is replaced at once, and requests go on', async () => {
  const [first = 0] = childrenOf(supervisor())
  process.kill(first, 'SIGKILL')
  await eventually('two workers', () => {
    const now = childrenOf(supervisor())
    return now.length === 2 && !now.includes(first)
  })
  for (let i = 0; i < 20; i++) assert.equal((await ask(edge, 'a.localhost')).status, 200)
  assert.equal(await figure('longhouse_edge_worker_crashes_total'), 1)
})

it('what workers have is compared with what they should have', async () => {
  await edge.runOnce('router:compare-edge')
  assert.equal(await figure('longhouse_edge_repairs_total'), 0)
})

it('a worker that does not answer is reported when it is silent again, and what it counted arrives later', async () => {
  const answers = 'longhouse_edge_requests_total{status="2xx"}'
  const before = await figure(answers)
  for (let i = 0; i < 20; i++) assert.equal((await ask(edge, 'a.localhost')).status, 200)
  const [mute = 0] = childrenOf(supervisor())
  process.kill(mute, 'SIGSTOP')
  await edge.runOnce('router:compare-edge')
  assert.deepEqual(await edge.concerns(), [])
  await edge.runOnce('router:compare-edge')
  const [concern] = await edge.concerns()
  assert.equal(concern?.subject, 'silent')
  assert.match(concern.detail, new RegExp(`kill -9 ${mute}$`))
  process.kill(mute, 'SIGCONT')
  await eventually('all counts', async () => (await figure(answers)) === before + 20)
  await edge.runOnce('router:compare-edge')
  assert.deepEqual(await edge.concerns(), [])
})

it('a second control plane is refused in words', async () => {
  const second = rawLink(edge.dataRoot)
  second.say({ type: 'hello', protocol: 1, version: '9', pid: 1, more: { than: 'known' } })
  const { reason, words } = await second.heard('refused')
  assert.equal(reason, 'taken')
  assert.match(
    String(words),
    new RegExp(`^The edge follows another control plane \\(process ${process.pid}\\)`),
  )
  if (!second.socket.closed) await once(second.socket, 'close')
  assert.equal((await ask(edge, 'a.localhost')).status, 200)
})

it('only its own user reaches the sockets and the state', async () => {
  const folder = join(edge.dataRoot, '.control/edge')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const file = join(folder, 'state.ndjson')
  await eventually('the state is kept', () => readFileSync(file, 'utf8').includes('inst_a'))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  // An older version left it open.
  chmodSync(file, 0o644)
  route(edge, 'kept', instance)
  await eventually('it is kept anew', () => readFileSync(file, 'utf8').includes('kept'))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  edge.router.remove('kept')
})

it('a folder that others can enter is refused in words', async t => {
  const dataRoot = temporaryFolder(t)
  const folder = join(dataRoot, '.control/edge')
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o750)
  const start = startEdge({ ROUTER_WORKERS: '1', LONGHOUSE_DATA_ROOT: dataRoot })
  await assert.rejects(start, (error: unknown) => {
    assert.ok(error instanceof BootError)
    assert.deepEqual(error.faults, [
      `LONGHOUSE_DATA_ROOT: ${folder} is open to other users; close it with: chmod 700 ${folder}`,
    ])
    return true
  })
})

it('a port that is taken is named as without workers', async () => {
  const { createServer } = await import('node:net')
  const taken = createServer()
  const port = await listening(taken)
  await assert.rejects(startEdge({ ROUTER_WORKERS: '1', LONGHOUSE_PORT: String(port) }), {
    faults: [`LONGHOUSE_PORT: something else listens on 127.0.0.1:${port}; stop it or choose another port`],
  })
  taken.close()
})
