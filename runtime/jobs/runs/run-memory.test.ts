import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAlive, oneJob, registry, startInstance } from '../../engine.fixture.ts'

/** Allocates this many MiB outside of V8's heap, and waits to be killed. */
const holds = (mib: number) => `
const held: Buffer[] = []
for (let mib = 0; mib < ${mib}; mib += 8) held.push(Buffer.alloc(8 * 1024 * 1024, 1))
setInterval(() => held.length, 1000)`

const job = (id: string, body: string, options = '') =>
  `jobRegistry.register({ id: '${id}', cron: '@daily', timeout: '1h', ${options} func: async () => {${body}} })\n`

test('a run’s memory limit includes its child processes, and the next run succeeds', async t => {
  const child = (options: string) => `
  const { spawn } = await import('node:child_process')
  const script = ${JSON.stringify(holds(160).replace(': Buffer[]', ''))}
  const child = spawn(process.execPath, ['-e', script], ${options})
  console.log(child.pid)
  await new Promise(() => child.on('exit', () => {}))`
  const { engine, run } = await startInstance(t, {
    runs: { memoryMb: 128 },
    files: {
      'manifest.ts':
        registry +
        job('buffers', `${holds(160)}\nawait new Promise(() => {})`) +
        job('child', child("{ stdio: 'ignore' }")) +
        job('daemon', child("{ stdio: 'ignore', detached: true, env: {} }")) +
        job('well', 'return 7') +
        // Longer than it takes to look twice.
        job(
          'roomy',
          `${holds(160)}\nawait new Promise(go => setTimeout(go, 700))\nreturn held.length`,
          "memory: '512m',",
        ) +
        job('small', `${holds(96)}\nawait new Promise(() => {})`, "memory: '64m',"),
    },
  })
  for (const id of ['buffers', 'child', 'daemon']) {
    const ended = await run(id)
    assert.equal(ended.status, 'failed', id)
    assert.match(ended.error?.message ?? '', /used more than its 128 MiB of memory.*`memory`/, id)
    const [pid] = engine.log(ended.id).match(/\d+/) ?? []
    assert.ok(id === 'buffers' || (pid && !isAlive(Number(pid))), `${id} leaves nothing behind`)
    assert.equal((await run('well')).result, 7, `after ${id}`)
  }
  const roomy = await run('roomy')
  assert.equal(roomy.result, 20, roomy.error?.message ?? '')
  assert.match((await run('small')).error?.message ?? '', /more than its 64 MiB/)
})

test('the heap grows with the memory limit of the job', async t => {
  const { run } = await startInstance(t, {
    runs: { memoryMb: 64 },
    files: {
      'manifest.ts': oneJob(
        '() => { const all: unknown[] = []; for (let i = 0; i < 100; i++) all.push(new Array(100_000).fill(i)); return all.length }',
        "memory: '512m',",
      ),
    },
  })
  const ended = await run('job')
  assert.equal(ended.result, 100, ended.error?.message ?? '')
})

test('a manifest that needs too much memory is refused, and the live set stays', async t => {
  const { engine, run, write } = await startInstance(t, {
    load: { memoryMb: 192 },
    files: { 'manifest.ts': oneJob('() => 7') },
  })
  write('manifest.ts', `${holds(240)}\nwhile (held.length > 0);\n${oneJob('() => 8')}`)
  const { status, errors } = await engine.reload()
  assert.equal(status, 'error')
  assert.match(errors[0]?.message ?? '', /reading the manifest took more than 192 MiB of memory/)
  assert.equal((await run('job')).result, 7)
})

test('a memory limit that is malformed or out of bounds is an error of the manifest', async t => {
  const { engine } = await startInstance(t, {
    files: {
      'manifest.ts': registry + job('a', '', "memory: '1m',") + job('b', '', 'memory: 512 as never,'),
    },
  })
  const { errors } = engine.manifest()
  assert.deepEqual(
    errors.map(error => [error.line, error.message]),
    [
      [2, 'job "a": memory must be a size from 64m to 64g, such as 512m or 1g'],
      [3, 'job "b": memory must be text: such as 512m or 1g'],
    ],
  )
})
