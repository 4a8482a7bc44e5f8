import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { volumeProcesses } from './process/process-tree.ts'

const program = join(import.meta.dirname, '..', 'dist', 'runtime.js')

interface Started {
  child: ChildProcess
  port: number
  /** All that it wrote; there once it has ended. */
  stderr: Promise<string>
  ended: Promise<{ code: number | null; signal: string | null }>
}

function launch(
  t: TestContext,
  env: Record<string, string>,
  args: readonly string[] = [],
): Omit<Started, 'port'> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, LONGHOUSE_PORT: '0', LONGHOUSE_PASSWORD: 'correct horse', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const stderr = text(child.stderr as Readable)
  // Not `close`: Node never emits it once the channel was disconnected from this side.
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, stderr, ended }
}

async function start(
  t: TestContext,
  dir: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Started> {
  const started = launch(t, { LONGHOUSE_DATA_DIR: dir, LONGHOUSE_INSTANCE_ID: 'inst_test', ...env }, args)
  const [message] = await Promise.race([
    once(started.child, 'message'),
    started.ended.then(async () => Promise.reject(new Error(await started.stderr))),
  ])
  assert.equal(message.type, 'listening')
  return { ...started, port: message.port }
}

const isReady = ({ port }: Started) =>
  eventually('the instance is ready', async () => {
    const health = await ask({ port, host: 'localhost', path: '/api/health' })
    return health.status === 200 && health
  })

test('the program prints its port, becomes ready, and exits in order on a signal', async t => {
  const instance = await start(t, temporaryFolder(t))
  const health = await isReady(instance)
  assert.equal(health.headers['longhouse-instance'], 'inst_test')
  instance.child.kill('SIGTERM')
  assert.deepEqual(await instance.ended, { code: 0, signal: null })
})

test('the program keeps its compiled code when an image is built, and starts with any', async t => {
  const folder = temporaryFolder(t)
  const once = async (args: readonly string[] = []) => {
    const instance = await start(t, temporaryFolder(t), { NODE_COMPILE_CACHE: folder }, args)
    await isReady(instance)
    const page = await ask({ port: instance.port, host: 'localhost', path: '/login' })
    assert.equal(page.status, 200)
    instance.child.kill('SIGTERM')
    assert.deepEqual(await instance.ended, { code: 0, signal: null })
    return readdirSync(folder).filter(name => name.startsWith('runtime.cjs'))
  }
  assert.deepEqual(await once(), [], 'a container keeps nothing')
  const [name = '', ...others] = await once(['--keep-compiled'])
  assert.match(name, /^runtime\.cjs-\d+-[0-9a-f]+\.code$/)
  assert.deepEqual(others, [])
  const kept = readFileSync(join(folder, name))
  assert.deepEqual(await once(), [name])
  const damaged = kept.fill(0, 100_000, 200_000)
  writeFileSync(join(folder, name), damaged)
  await once()
  assert.ok(readFileSync(join(folder, name)).equals(damaged), 'a container only reads it')
})

/** A volume with one job of every second, which says that it goes, and goes on until there is a file `data/end`. */
function volumeWith(t: TestContext, options = ''): string {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs/data'), { recursive: true })
  writeFileSync(join(dir, 'jobs/.gitignore'), 'data/\n')
  writeFileSync(
    join(dir, 'jobs/manifest.ts'),
    `import { existsSync } from 'node:fs'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '* * * * * *', ${options} func: async ({ log }) => {
  log('goes')
  while (!existsSync('data/end')) await new Promise(done => setTimeout(done, 20))
} })\n`,
  )
  return dir
}

interface Recorded {
  id: string
  status: string
  attempt: number
  slot: number
}

/** What the volume's database says, read from outside. */
function recorded<Row>(dir: string, query: string): Row[] {
  const db = new Database(join(dir, 'longhouse.db'), { readonly: true })
  try {
    return db.prepare(query).all() as Row[]
  } finally {
    db.close()
  }
}
const runsOf = (dir: string) =>
  recorded<Recorded>(dir, 'select id, status, attempt, slot from jobs_runs order by seq')
const goes = (dir: string) =>
  eventually('a run goes', () =>
    runsOf(dir).find(({ id, status }) => status === 'running' && existsSync(join(dir, 'runs', `${id}.log`))),
  )

test('a signal lets the run in progress end, and starts no other', async t => {
  const dir = volumeWith(t)
  const instance = await start(t, dir)
  const going = await goes(dir)
  instance.child.kill('SIGTERM')
  const health = await eventually('it says so', async () => {
    const answer = await ask({ port: instance.port, host: 'localhost', path: '/api/health' })
    return answer.json<{ status: string }>().status === 'stopping' && answer
  })
  assert.equal(health.status, 503)
  writeFileSync(join(dir, 'jobs/data/end'), '')
  assert.deepEqual(await instance.ended, { code: 0, signal: null })
  const runs = runsOf(dir)
  assert.deepEqual(
    runs.map(({ status }) => status),
    runs.map(() => 'succeeded'),
  )
  assert.equal(runs.at(-1)?.id, going.id, 'none began after it')
})

test('a run longer than the grace period is interrupted, and runs again after the next boot', async t => {
  const dir = volumeWith(t, "onInterrupt: 'rerun',")
  // Half of it is for the run; in what is left the program closes, however busy the machine is.
  const first = await start(t, dir, { LONGHOUSE_STOP_GRACE: '10s' })
  const going = await goes(dir)
  first.child.kill('SIGTERM')
  assert.deepEqual(await first.ended, { code: 0, signal: null })
  const [interrupted, again] = runsOf(dir)
  assert.deepEqual([interrupted?.id, interrupted?.status], [going.id, 'interrupted'])
  assert.deepEqual([again?.status, again?.attempt, again?.slot], ['queued', 2, going.slot])
  const second = await start(t, dir, { LONGHOUSE_STOP_GRACE: '2s' })
  await eventually(
    'it goes again',
    () => runsOf(dir).find(({ id }) => id === again?.id)?.status === 'running',
  )
  second.child.kill('SIGTERM')
  await second.ended
})

test('a second signal ends the program and its runs at once', async t => {
  const dir = volumeWith(t)
  const instance = await start(t, dir)
  await goes(dir)
  const processes = () => volumeProcesses(dir)
  assert.notEqual(processes().length, 0)
  instance.child.kill('SIGTERM')
  await eventually('it says so', async () => {
    const answer = await ask({ port: instance.port, host: 'localhost', path: '/api/health' })
    return answer.json<{ status: string }>().status === 'stopping'
  })
  instance.child.kill('SIGTERM')
  assert.deepEqual(await instance.ended, { code: 1, signal: null })
  await eventually('nothing is left', () => processes().length === 0)
})

test('the program ends with the control plane that started it', async t => {
  const instance = await start(t, temporaryFolder(t))
  instance.child.disconnect()
  assert.deepEqual(await instance.ended, { code: 0, signal: null })
})

test('every wrong setting is reported, and the program does not start', async t => {
  const { ended, stderr } = launch(t, { LONGHOUSE_PASSWORD: 'short', LONGHOUSE_PORT: 'many' })
  assert.equal((await ended).code, 1)
  const faults = await stderr
  for (const name of ['LONGHOUSE_INSTANCE_ID', 'LONGHOUSE_PASSWORD', 'LONGHOUSE_PORT']) {
    assert.ok(faults.includes(name), name)
  }
})

test('sessions and jobs survive a restart', async t => {
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
