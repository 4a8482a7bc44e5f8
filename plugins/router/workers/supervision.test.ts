import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
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
