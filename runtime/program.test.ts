import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

const program = join(import.meta.dirname, '..', 'dist', 'runtime.js')

interface Started {
  child: ChildProcess
  port: number
  stderr(): string
  ended: Promise<{ code: number | null; signal: string | null }>
}

function launch(t: TestContext, env: Record<string, string>): Omit<Started, 'port'> {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, LONGHOUSE_PORT: '0', LONGHOUSE_PASSWORD: 'correct horse', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  // Not `close`: Node never emits it once the channel was disconnected from this side.
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, stderr: () => stderr, ended }
}

async function start(t: TestContext, dir: string): Promise<Started> {
  const started = launch(t, { LONGHOUSE_DATA_DIR: dir, LONGHOUSE_INSTANCE_ID: 'inst_test' })
  const [message] = await Promise.race([
    once(started.child, 'message'),
    started.ended.then(() => Promise.reject(new Error(started.stderr()))),
  ])
  assert.equal(message.type, 'listening')
  return { ...started, port: message.port }
}

const isReady = ({ port }: Started) =>
  eventually('the instance is ready', async () => {
    const health = await ask({ port, host: 'localhost', path: '/api/health' })
    return health.status === 200 && health
  })

test('it tells its port, becomes ready, and ends in order when it is asked to', async t => {
  const instance = await start(t, temporaryFolder(t))
  const health = await isReady(instance)
  assert.equal(health.headers['longhouse-instance'], 'inst_test')
  instance.child.kill('SIGTERM')
  assert.deepEqual(await instance.ended, { code: 0, signal: null })
})

test('it ends with the control plane that started it', async t => {
  const instance = await start(t, temporaryFolder(t))
  instance.child.disconnect()
  assert.deepEqual(await instance.ended, { code: 0, signal: null })
})

test('settings that are wrong are all told, and it does not start', async t => {
  const { ended, stderr } = launch(t, { LONGHOUSE_PASSWORD: 'short', LONGHOUSE_PORT: 'many' })
  assert.equal((await ended).code, 1)
  for (const name of ['LONGHOUSE_INSTANCE_ID', 'LONGHOUSE_PASSWORD', 'LONGHOUSE_PORT']) {
    assert.ok(stderr().includes(name), name)
  }
})

test('sign-in and jobs outlive a restart', async t => {
  const dir = temporaryFolder(t)
  const first = await start(t, dir)
  await isReady(first)
  const body = JSON.stringify({ password: 'correct horse' })
  const answer = await ask({
    port: first.port,
    host: 'localhost',
    method: 'POST',
    path: '/api/auth/password',
    body,
  })
  const Cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  first.child.kill('SIGTERM')
  await first.ended
  const second = await start(t, dir)
  await isReady(second)
  const jobs = await ask({ port: second.port, host: 'localhost', path: '/api/jobs', headers: { Cookie } })
  assert.equal(jobs.status, 200)
  assert.equal(jobs.json<{ jobs: { id: string }[] }>().jobs[0]?.id, 'daily-digest')
})
