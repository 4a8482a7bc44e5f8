import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { ask, freePort, startInstance } from '../wire.fixture.ts'
import { rawLink, startControlPlane, startEdgeService } from './workers.fixture.ts'

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
