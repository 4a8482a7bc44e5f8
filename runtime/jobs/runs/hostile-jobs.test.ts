import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isAlive, registry, startInstance, until } from '../../engine.fixture.ts'

const job = (id: string, func: string, options = '') =>
  `jobRegistry.register({ id: '${id}', cron: '@daily', ${options} func: ${func} })\n`

test('a run whose job breaks its own process ends with an explanation, and the next run succeeds', async t => {
  const jobs: Record<string, { func: string; options?: string; status: string; words: RegExp | null }> = {
    loop: {
      func: '() => { for (;;); }',
      options: "timeout: '1s',",
      status: 'timed_out',
      words: /limit of 1 sec/,
    },
    heap: {
      func: '() => { const all: unknown[] = []; for (;;) all.push(new Array(100_000).fill(all.length)) }',
      status: 'failed',
      words: /more than its 64 MiB of memory/,
    },
    buffer: { func: '() => Buffer.alloc(2 ** 53 - 1)', status: 'failed', words: /RangeError/ },
    exit: { func: '() => process.exit(0)', status: 'failed', words: /exit code 0 before its function/ },
    abort: { func: '() => process.abort()', status: 'failed', words: /ended by SIGABRT/ },
    hangs: { func: '() => new Promise(() => {})', status: 'failed', words: /never settled/ },
    open: {
      func: "async () => { setInterval(() => {}, 1000); createServer().listen(0); spawn('sleep', ['1000']); return 1 }",
      status: 'succeeded',
      words: null,
    },
    hooks: {
      func: "() => { process.on('exit', () => { writeSync(1, 'tidied up\\n') }) }",
      status: 'succeeded',
      words: null,
    },
    'bad-hook': {
      func: "() => { process.on('exit', () => { throw new Error('at the door') }) }",
      status: 'succeeded',
      words: null,
    },
    stops: {
      func: "() => { process.kill(process.pid, 'SIGSTOP') }",
      options: "timeout: '1s',",
      status: 'timed_out',
      words: /limit/,
    },
    deaf: {
      func: "() => { process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {}); return new Promise(() => setInterval(() => {}, 1000)) }",
      options: "timeout: '1s',",
      status: 'timed_out',
      words: /limit/,
    },
    captures: {
      func: '() => { process.stdout.write = () => true; process.stderr.write = () => true; return 1 }',
      status: 'succeeded',
      words: null,
    },
    'throws-object': {
      func: "() => { throw Object.assign(new Error(), { message: { code: 'E_QUOTA' } }) }",
      status: 'failed',
      words: /code: 'E_QUOTA'/,
    },
    nests: {
      func: '() => { let all: unknown = 1; for (let i = 0; i < 15_000; i++) all = [all]; return all }',
      status: 'succeeded',
      words: null,
    },
    tampers: {
      func: "() => { process.kill = () => true; process.exit = (() => {}) as never; process.emit = () => true; JSON.stringify = () => 'no'; return 1 }",
      status: 'failed',
      words: /something else than its result/,
    },
  }
  const { engine, run } = await startInstance(t, {
    runs: { memoryMb: 64 },
    files: {
      'manifest.ts': `${registry}import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createServer } from 'node:net'
${Object.entries(jobs)
  .map(([id, { func, options }]) => job(id, func, options))
  .join('')}${job('well', '() => 7')}`,
    },
  })
  for (const [id, { status, words }] of Object.entries(jobs)) {
    const ended = await run(id)
    assert.equal(ended.status, status, `${id}: ${ended.error?.message}`)
    if (words) assert.match(ended.error?.message ?? '', words, id)
    if (id === 'nests') assert.match(engine.log(ended.id), /not kept: it is nested more than 100 deep/)
    if (id === 'hooks') assert.equal(engine.log(ended.id).includes('tidied up'), true)
    if (id === 'bad-hook') assert.match(engine.log(ended.id), /At the exit: Error: at the door/)
    assert.equal((await run('well')).result, 7, `after ${id}`)
  }
})

test('fifty megabytes of output are truncated, and delay nothing', async t => {
  const flood =
    "() => { const part = 'x'.repeat(1023) + '\\n'; for (let i = 0; i < 51200; i++) console.log(part) }"
  const { engine, run } = await startInstance(t, {
    files: { 'manifest.ts': registry + job('flood', flood) + job('well', '() => 7') },
  })
  const flooded = await run('flood')
  assert.equal(flooded.status, 'succeeded')
  assert.ok(engine.log(flooded.id).length < 8 * 1024 * 1024)
  assert.equal((await run('well')).result, 7)
})

test('a job that keeps forking leaves no process behind', async t => {
  const { engine, run, path } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}import { spawn } from 'node:child_process'
${job(
  'forks',
  `() => new Promise(() => {
    const script = 'echo $$ >> data/pids; for i in 1 2 3; do sleep 1000 & done; setsid sh -c "echo \\\\$\\\\$ >> data/pids; sleep 1000" & wait'
    setInterval(() => spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' }), 50)
  })`,
)}${job('well', '() => 7')}`,
    },
  })
  const forked = () => (existsSync(path('data/pids')) ? readFileSync(path('data/pids'), 'utf8') : '')
  const { id } = engine.run('forks', { trigger: 'manual' })
  await until(() => forked().split('\n').length > 20, 'it has forked again and again')
  assert.equal((await engine.cancel(id))?.status, 'cancelled')
  const pids = forked().trim().split('\n').map(Number)
  assert.ok(pids.every(Number.isInteger), String(pids))
  // What was killed a moment ago may still be dying; what got away would sleep for a quarter of an hour.
  await until(() => pids.filter(isAlive).length === 0, 'nothing is left')
  assert.equal((await run('well')).result, 7)
})
