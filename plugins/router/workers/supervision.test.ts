import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { BootError } from '../../../src/boot-error.ts'
import { manualClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { startEdge } from '../edge.fixture.ts'
import { ask, freePort, startInstance } from '../wire.fixture.ts'
import { childrenOf, isAlive, rawLink, startControlPlane, startEdgeService } from './workers.fixture.ts'

const ready = (port: number) => ({ state: 'ready', instanceId: 'inst_a', host: '127.0.0.1', port }) as const

test('an edge that ends takes neither a control plane nor fresh workers, and ends after its last request', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const waiting: (() => void)[] = []
  const instance = await startInstance('inst_a', (_, response) => {
    waiting.push(() => response.end('at last'))
  })
  const supervisor = await startEdgeService(t, dataRoot)
  const controlPlane = await startControlPlane(
    {
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: String(port),
      ROUTER_WORKERS: '1',
      ROUTER_EDGE: 'service',
    },
    { a: ready(instance.port) },
  )
  const reply = ask({ port }, 'a.localhost')
  const [answer] = await eventually('the request', () => waiting.length > 0 && waiting)
  await controlPlane.kill()
  const early = rawLink(dataRoot)
  await once(early.socket, 'connect')

  supervisor.kill('SIGTERM')
  const socket = join(dataRoot, '.control/edge/edge.sock')
  await eventually('no control plane finds it', () => !existsSync(socket))
  supervisor.kill('SIGHUP')
  const closed = new Promise(resolve => early.socket.once('close', resolve))
  early.say({ type: 'hello', protocol: 1, version: '9', pid: 1 })
  await closed
  assert.deepEqual(early.messages, [])

  const exited = once(supervisor, 'exit')
  answer?.()
  assert.equal((await reply).body, 'at last')
  assert.deepEqual(await exited, [0, null])
  await instance.close()
})

test('an edge whose port is taken serves once it is free', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const instance = await startInstance('inst_a')
  const env = {
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(port),
    ROUTER_WORKERS: '1',
    ROUTER_EDGE: 'service',
  }
  const first = await startEdgeService(t, dataRoot)
  const controlPlane = await startControlPlane(env, { a: ready(instance.port) })
  await controlPlane.kill()
  first.kill('SIGTERM')
  await once(first, 'exit')

  const other = createServer()
  await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve))
  const next = await startEdgeService(t, dataRoot)
  const link = rawLink(dataRoot)
  link.say({ type: 'hello', protocol: 1, version: '9', pid: 1 })
  const { words } = await link.heard('failed')
  assert.match(String(words), /EADDRINUSE/)
  await new Promise(resolve => other.close(resolve))
  await link.heard('serving')
  assert.equal((await ask({ port }, 'a.localhost')).body, 'inst_a')
  next.kill('SIGTERM')
  await once(next, 'exit')
  await instance.close()
})

test('a control plane without workers names the edge of its data root that has the port', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const supervisor = await startEdgeService(t, dataRoot)
  const env = { LONGHOUSE_DATA_ROOT: dataRoot, LONGHOUSE_PORT: String(port) }
  const controlPlane = await startControlPlane({ ...env, ROUTER_WORKERS: '1', ROUTER_EDGE: 'service' })
  await eventually('the state is kept', () => existsSync(join(dataRoot, '.control/edge/state.ndjson')))
  await controlPlane.stop()
  for (const without of [{ ROUTER_WORKERS: '0' }, { ROUTER_MODE: 'labels' }])
    await assert.rejects(startEdge({ ...env, ...without }), (error: unknown) => {
      assert.ok(error instanceof BootError)
      assert.match(
        error.faults.join(),
        new RegExp(
          `^LONGHOUSE_PORT: the edge of this data root \\(process ${supervisor.pid}\\) listens on 127.0.0.1:${port}, .*kill ${supervisor.pid}\\.`,
        ),
      )
      return true
    })
  const wider = { ...env, LONGHOUSE_HOST: '0.0.0.0', ROUTER_WORKERS: '1', ROUTER_EDGE: 'service' }
  await assert.rejects(startEdge(wider), {
    faults: [
      `the edge: it still listens on 127.0.0.1:${port}, and on 0.0.0.0:${port} only after a restart; end it with: kill ${supervisor.pid}`,
    ],
  })
  supervisor.kill('SIGTERM')
  await once(supervisor, 'exit')
})

test('a control plane stops in bounded time when its edge hangs', async t => {
  const clock = manualClock()
  // The start takes as long as it takes.
  const running = setInterval(() => clock.advance(5), 5)
  const edge = await startEdge({ ROUTER_WORKERS: '1', ROUTER_DRAIN_GRACE: '10s' }, clock)
  clearInterval(running)
  const pid = Number(readFileSync(join(edge.dataRoot, '.control/edge/edge.pid'), 'utf8'))
  const [worker = 0] = childrenOf(pid)
  t.after(() => {
    process.kill(pid, 'SIGKILL')
    process.kill(worker, 'SIGKILL')
  })
  process.kill(pid, 'SIGSTOP')
  let stopped = false
  const stopping = edge.stop().then(() => {
    stopped = true
  })
  await eventually('it waits for the edge', () => {
    clock.advance(1000)
    return stopped
  })
  await stopping
  assert.ok(isAlive(pid))
})

test('a control plane that hangs costs a request its time, and requests that wait for one are counted and limited', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const controlPlane = await startControlPlane({
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(port),
    ROUTER_WORKERS: '1',
    ROUTER_EDGE: 'own',
    ROUTER_RESPONSE_TIMEOUT: '1s',
    ROUTER_HOLD_TIMEOUT: '60s',
    ROUTER_HOLD_LIMIT: '2',
  })
  assert.equal((await ask({ port }, 'control.localhost', { path: '/slow' })).body, 'at last')
  controlPlane.child.kill('SIGSTOP')
  const late = await ask({ port }, 'control.localhost')
  assert.equal(late.status, 504)
  assert.equal(JSON.parse(late.body).type, 'urn:longhouse:problem:control-plane-timed-out')
  await controlPlane.kill()
  const waiting = [ask({ port }, 'control.localhost'), ask({ port }, 'control.localhost')]
  const beyond = await eventually('a refusal', async () => {
    const reply = await Promise.race([
      ask({ port }, 'control.localhost', { method: 'POST', body: 'x' }),
      ...waiting,
    ])
    return reply.status === 503 && reply
  })
  assert.equal(JSON.parse(beyond.body).type, 'urn:longhouse:problem:control-plane-restarting')
  const next = await startControlPlane({
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(port),
    ROUTER_WORKERS: '1',
  })
  await Promise.all(waiting)
  const figures = await next.figures()
  assert.equal(figures.get('longhouse_edge_problems_total{problem="control-plane-timed-out"}'), 1)
  assert.ok((figures.get('longhouse_edge_problems_total{problem="control-plane-restarting"}') ?? 0) >= 1)
  assert.equal(figures.get('longhouse_edge_held'), 0)
  await next.stop()
})
