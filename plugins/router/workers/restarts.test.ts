import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { ask, freePort, startInstance } from '../wire.fixture.ts'
import {
  childrenOf,
  isAlive,
  otherVersion,
  rawLink,
  startControlPlane,
  startEdgeService,
} from './workers.fixture.ts'

/** Clients that ask for an instance, and for the control plane, one request after the other, on kept connections. */
function load(port: number) {
  const failures: string[] = []
  let answered = 0
  let over = false
  const client = async (host: string, expected: string) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!over) {
      try {
        const outgoing = request({ host: '127.0.0.1', port, path: '/', headers: { host }, agent })
        outgoing.end()
        const [answer] = await once(outgoing, 'response')
        const body = await text(answer)
        if (answer.statusCode === 200 && body === expected) answered++
        else failures.push(`${host}: ${answer.statusCode} ${body}`)
      } catch (error) {
        failures.push(`${host}: ${(error as Error).message}`)
      }
    }
    agent.destroy()
  }
  const clients = [
    ...Array.from({ length: 6 }, () => client('a.localhost', 'inst_a')),
    ...Array.from({ length: 2 }, () => client('control.localhost', 'the control plane')),
  ]
  return {
    failures,
    answered: () => answered,
    end: async () => {
      over = true
      await Promise.all(clients)
    },
  }
}

/** Clients that connect anew, one after the other. */
function strangers(port: number) {
  let connected = 0
  let refused = 0
  let over = false
  const client = async () => {
    while (!over) {
      const socket = connect(port, '127.0.0.1')
      const result = await new Promise<string>(resolve => {
        socket.once('connect', () => resolve(''))
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      })
      socket.on('error', () => undefined)
      socket.destroy()
      if (result === '') connected++
      if (result === 'ECONNREFUSED') refused++
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  const clients = [client(), client()]
  return {
    connected: () => connected,
    refused: () => refused,
    end: async () => {
      over = true
      await Promise.all(clients)
    },
  }
}

const ready = (port: number) => ({ state: 'ready', instanceId: 'inst_a', host: '127.0.0.1', port }) as const

test('everything restarts ten times under load, and no request fails', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const instance = await startInstance('inst_a')
  const supervisor = await startEdgeService(t, dataRoot)
  const env = {
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(port),
    ROUTER_WORKERS: '2',
    ROUTER_EDGE: 'service',
    ROUTER_HOLD_TIMEOUT: '60s',
  }
  const versions = [await otherVersion(t, 'one'), await otherVersion(t, 'two')]
  const routed = { a: ready(instance.port) }
  let controlPlane = await startControlPlane(env, routed)
  const clients = load(port)
  const more = async () => {
    const before = clients.answered()
    await eventually('more answers', () => clients.answered() > before + 50 || clients.failures.length > 0)
  }
  for (let round = 0; round < 10; round++) {
    await more()
    const workers = childrenOf(supervisor.pid ?? 0)
    switch (round % 3) {
      case 0: {
        // The control plane dies or stops; the next one takes its place.
        if (round % 2 === 0) await controlPlane.kill()
        else await controlPlane.stop()
        controlPlane = await startControlPlane(env, routed)
        break
      }
      case 1: {
        supervisor.kill('SIGHUP')
        await eventually('fresh workers', () =>
          childrenOf(supervisor.pid ?? 0).every(pid => !workers.includes(pid)),
        )
        break
      }
      default: {
        const build = versions[((round + 1) / 3) % 2] ?? ''
        await controlPlane.stop()
        controlPlane = await startControlPlane(env, routed, build)
        await eventually('workers of the other version', () =>
          childrenOf(supervisor.pid ?? 0).every(pid =>
            readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(build),
          ),
        )
      }
    }
  }
  await more()
  await clients.end()
  assert.deepEqual(clients.failures.slice(0, 5), [])
  assert.ok(clients.answered() > 500)
  await controlPlane.stop()
  supervisor.kill('SIGTERM')
  await once(supervisor, 'exit')
  await instance.close()
})

test('an edge serves on without its control plane, and the next one finds it', async t => {
  const dataRoot = temporaryFolder(t)
  const instance = await startInstance('inst_a')
  const env = {
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(await freePort()),
    ROUTER_WORKERS: '1',
    ROUTER_HOLD_TIMEOUT: '200ms',
  }
  const first = await startControlPlane(env)
  await first.set('a', ready(instance.port))
  await first.kill()
  const edge = { port: first.port }
  assert.equal((await ask(edge, 'a.localhost')).body, 'inst_a')

  const page = await ask(edge, 'control.localhost', { headers: { accept: 'text/html' } })
  assert.equal(page.status, 503)
  assert.match(page.body, /The control plane is restarting/)
  assert.equal(page.headers['retry-after'], '2')
  assert.match(page.body, /http-equiv="refresh"/)
  const document = await ask(edge, 'localhost', { method: 'POST', body: '{}' })
  assert.equal(document.status, 503)
  assert.equal(JSON.parse(document.body).type, 'urn:longhouse:problem:control-plane-restarting')

  const second = await startControlPlane(env)
  assert.equal((await ask(edge, 'control.localhost')).body, 'the control plane')
  // It has no records of the instance, so its state is that there is none.
  assert.equal((await ask(edge, 'a.localhost')).status, 404)
  await second.stop()
  await assert.rejects(ask(edge, 'a.localhost'), { code: 'ECONNREFUSED' }, 'an edge of its own ends with it')
  await instance.close()
})

test('an edge that no control plane can find any longer ends', async t => {
  const dataRoot = temporaryFolder(t)
  const edge = await startEdgeService(t, dataRoot)
  rmSync(join(dataRoot, '.control'), { recursive: true })
  const [code] = await once(edge, 'exit')
  assert.equal(code, 0)
})

test('workers serve on without their supervisor, and make room for the next', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const instance = await startInstance('inst_a')
  const supervisor = await startEdgeService(t, dataRoot)
  const controlPlane = await startControlPlane({
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: String(port),
    ROUTER_WORKERS: '1',
    ROUTER_EDGE: 'service',
  })
  await controlPlane.set('a', ready(instance.port))
  const [worker = 0] = childrenOf(supervisor.pid ?? 0)
  supervisor.kill('SIGKILL')
  await once(supervisor, 'exit')
  assert.equal((await ask({ port }, 'a.localhost')).body, 'inst_a')
  assert.ok(isAlive(worker))

  const next = await startEdgeService(t, dataRoot)
  await eventually('the old worker ends', () => !isAlive(worker))
  await eventually('a new worker', () => childrenOf(next.pid ?? 0).length === 1)
  await eventually('answers', async () => (await ask({ port }, 'a.localhost')).body === 'inst_a')
  assert.equal((await ask({ port }, 'control.localhost')).body, 'the control plane')
  await controlPlane.stop()

  // Nothing is left but the file.
  next.kill('SIGTERM')
  await once(next, 'exit')
  const third = await startEdgeService(t, dataRoot)
  await eventually('a worker', () => childrenOf(third.pid ?? 0).length === 1)
  const reply = await eventually('an answer', () => ask({ port }, 'a.localhost'))
  assert.equal(reply.body, 'inst_a')

  // A damaged file is not used: the edge waits for its control plane instead of denying what it does not know. The orphan serves on.
  third.kill('SIGKILL')
  await once(third, 'exit')
  await eventually('an orphan', async () => (await ask({ port }, 'a.localhost')).status === 200)
  const file = join(dataRoot, '.control/edge/state.ndjson')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20))
  const fourth = await startEdgeService(t, dataRoot)
  assert.deepEqual(childrenOf(fourth.pid ?? 0), [])
  assert.equal((await ask({ port }, 'a.localhost')).body, 'inst_a')
  const link = rawLink(dataRoot)
  link.say({ type: 'hello', protocol: 99, version: '99', pid: 1 })
  const { reason, words } = await link.heard('refused')
  assert.equal(reason, 'protocol')
  assert.match(String(words), /must be restarted/)
  const last = await startControlPlane(
    {
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: String(port),
      ROUTER_WORKERS: '1',
      ROUTER_EDGE: 'service',
    },
    { a: ready(instance.port) },
  )
  await last.stop()
  fourth.kill('SIGTERM')
  await once(fourth, 'exit')
  await eventually('the orphan ends', () =>
    ask({ port }, 'a.localhost').then(
      () => false,
      error => error.code === 'ECONNREFUSED',
    ),
  )
  await instance.close()
})

test('supervisors are killed under load, and no connection is refused', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const instance = await startInstance('inst_a')
  let supervisor = await startEdgeService(t, dataRoot)
  const controlPlane = await startControlPlane(
    {
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: String(port),
      ROUTER_WORKERS: '1',
      ROUTER_EDGE: 'service',
      ROUTER_HOLD_TIMEOUT: '60s',
    },
    { a: ready(instance.port) },
  )
  const clients = load(port)
  const arrivals = strangers(port)
  for (let round = 0; round < 3; round++) {
    const workers = childrenOf(supervisor.pid ?? 0)
    supervisor.kill('SIGKILL')
    await once(supervisor, 'exit')
    supervisor = await startEdgeService(t, dataRoot)
    await eventually('fresh workers', () => childrenOf(supervisor.pid ?? 0).length === 1)
    await eventually('the others end', () => !workers.some(isAlive))
    const before = clients.answered()
    await eventually('more answers', () => clients.answered() > before + 50 || clients.failures.length > 0)
  }
  await Promise.all([clients.end(), arrivals.end()])
  assert.deepEqual(clients.failures.slice(0, 5), [])
  assert.equal(arrivals.refused(), 0)
  assert.ok(arrivals.connected() > 100)
  await controlPlane.stop()
  supervisor.kill('SIGTERM')
  await once(supervisor, 'exit')
  await instance.close()
})

test('a worker without its supervisor ends when the data root is gone', async t => {
  const dataRoot = temporaryFolder(t)
  const port = await freePort()
  const instance = await startInstance('inst_a')
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
  const [worker = 0] = childrenOf(supervisor.pid ?? 0)
  await controlPlane.kill()
  supervisor.kill('SIGKILL')
  await once(supervisor, 'exit')
  assert.equal((await ask({ port }, 'a.localhost')).body, 'inst_a')
  rmSync(dataRoot, { recursive: true })
  await eventually('the worker ends', () => !isAlive(worker))
  await instance.close()
})
