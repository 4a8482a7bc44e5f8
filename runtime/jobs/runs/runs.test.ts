import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, oneJob, registry, startInstance, until } from '../../engine.fixture.ts'

test('a run succeeds with the result of its function, and its log is kept', async t => {
  const { run, engine } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob(`async ({ params, log, run, signal }) => {
        console.log('plain'); console.error('to stderr'); log('formatted %d', 5, { a: 1 })
        await new Promise(done => setTimeout(done, 5))
        return { params, trigger: run.trigger, slot: run.slot, attempt: run.attempt, id: run.id, aborted: signal.aborted }
      }`),
    },
  })
  const ended = await run('job', { name: 'x' })
  assert.equal(ended.status, 'succeeded')
  assert.deepEqual(ended.result, {
    params: { name: 'x' },
    trigger: 'manual',
    slot: null,
    attempt: 1,
    id: ended.id,
    aborted: false,
  })
  assert.equal(engine.log(ended.id), 'plain\nto stderr\nformatted 5 { a: 1 }\n')
  assert.equal(ended.error, null)
  assert.ok((ended.durationMs ?? 0) > 0)
  assert.equal(engine.getRun('run_none'), null)
})

test('a function without parameters succeeds, and so does one that leaves timers and servers open', async t => {
  const { run, engine, dir } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}import { createServer } from 'node:net'
jobRegistry.register({ id: 'plain', cron: '@daily', func: () => 7 })
jobRegistry.register({ id: 'open', cron: '@daily', func: () => { createServer().listen(0); setInterval(() => {}, 1000) } })`,
    },
  })
  const plain = await run('plain')
  assert.deepEqual([plain.status, plain.result], ['succeeded', 7])
  assert.equal(
    existsSync(join(dir, 'runs', `${plain.id}.log`)),
    false,
    'a run that prints nothing has no file',
  )
  assert.equal(engine.log(plain.id), '')
  const open = await run('open')
  assert.deepEqual([open.status, open.result], ['succeeded', null])
})

test('a failure has a message and its place in the sources', async t => {
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}import { fail } from './jobs/fail'
jobRegistry.register({ id: 'throws', cron: '@daily', func: fail })
jobRegistry.register({ id: 'text', cron: '@daily', func: () => { throw 'a text' } })
jobRegistry.register({ id: 'stray', cron: '@daily', func: async () => { void Promise.reject(new Error('stray')) } })
jobRegistry.register({ id: 'later', cron: '@daily', func: () => new Promise(() => setTimeout(() => { throw new Error('later') }, 5)) })
jobRegistry.register({ id: 'exit', cron: '@daily', func: () => process.exit(0) })
jobRegistry.register({ id: 'kill', cron: '@daily', func: () => process.kill(process.pid, 'SIGKILL') })
`,
      'jobs/fail.ts': `interface Unused { a: string }

export async function fail(): Promise<never> {
  throw new TypeError('no luck', { cause: new Error('the reason') })
}`,
    },
  })
  const thrown = await run('throws')
  assert.equal(thrown.status, 'failed')
  assert.equal(thrown.error?.message, 'TypeError: no luck: the reason')
  assert.match(thrown.error?.stack ?? '', /at fail \(jobs\/fail\.ts:4:9\)/)
  assert.match(thrown.error?.stack ?? '', /Caused by: Error: the reason/)
  const frames = thrown.error?.stack?.split('\n').filter(line => /^\s+at /.test(line)) ?? []
  assert.ok(
    frames.length >= 2 && frames.every(line => /^\s+at \S+ \(jobs\/fail\.ts:4:\d+\)$/.test(line)),
    frames.join('\n'),
  )
  for (const [job, message] of [
    ['text', /^a text$/],
    ['stray', /^stray$/],
    ['later', /^later$/],
    ['exit', /exit code 0 before its function returned/],
    ['kill', /ended by SIGKILL/],
  ] as const) {
    const run_ = await run(job)
    assert.equal(run_.status, 'failed', job)
    assert.match(run_.error?.message ?? '', message)
  }
})

test('a promise that never settles fails with that message', async t => {
  const { run } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => new Promise(() => {})') } })
  const ended = await run('job')
  assert.equal(ended.status, 'failed')
  assert.match(ended.error?.message ?? '', /never settled/)
})

test('a result that cannot be stored does not fail the run, and the log says why', async t => {
  const { run, engine } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}
jobRegistry.register({ id: 'large', cron: '@daily', func: () => 'x'.repeat(70_000) })
jobRegistry.register({ id: 'big', cron: '@daily', func: () => 5n })
jobRegistry.register({ id: 'func', cron: '@daily', func: () => () => {} })`,
    },
  })
  for (const [job, why] of [
    ['large', /70002 bytes of JSON, more than 65536/],
    ['big', /BigInt/],
    ['func', /a function cannot be written as JSON/],
  ] as const) {
    const ended = await run(job)
    assert.deepEqual([ended.status, ended.result], ['succeeded', null])
    assert.match(engine.log(ended.id), why)
  }
})

test('a run sees no secrets of the instance, works in the jobs repo and stays within its memory', async t => {
  process.env.LONGHOUSE_PASSWORD = 'do not tell'
  t.after(() => delete process.env.LONGHOUSE_PASSWORD)
  const { run, path } = await startInstance(t, {
    env: { GREETING: 'hello' },
    runs: { memoryMb: 48 },
    files: {
      'manifest.ts': `${registry}
jobRegistry.register({ id: 'env', cron: '@daily', func: () => ({ env: process.env, cwd: process.cwd() }) })
jobRegistry.register({ id: 'memory', cron: '@daily', func: () => { const a: unknown[] = []; for (;;) a.push(new Array(1e5).fill(a.length)) } })`,
    },
  })
  const { env, cwd } = (await run('env')).result as { env: Record<string, string>; cwd: string }
  assert.equal(cwd, path('').replace(/\/$/, ''))
  assert.equal(env.GREETING, 'hello')
  assert.equal(env.PATH, process.env.PATH)
  assert.ok(!JSON.stringify(env).includes('do not tell'))
  const ended = await run('memory')
  assert.equal(ended.status, 'failed')
  assert.match(ended.error?.message ?? '', /more than its 48 MiB of memory/)
})

test('a run ends with its whole process tree, daemons included', async t => {
  const { engine, path } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}
import { spawn, execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
const note = (pid: number | undefined) => appendFileSync('data/pids.txt', pid + '\\n')
jobRegistry.register({ id: 'tree', cron: '@daily', func: ({ log, signal }) => {
  void signal
  note(process.pid)
  note(spawn('sleep', ['1000']).pid)
  note(spawn('sh', ['-c', 'trap "" TERM; sleep 1000; sleep 1000']).pid)
  note(spawn('setsid', ['sleep', '1000'], { detached: true, stdio: 'ignore' }).pid)
  note(Number(execFileSync('sh', ['-c', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' })))
  log('all of them run')
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
} })`,
    },
  })
  const { id } = engine.run('tree', { trigger: 'manual' })
  await until(() => engine.log(id), 'all of them run')
  assert.equal((await engine.cancel(id))?.status, 'cancelled')
  const pids = readFileSync(path('data/pids.txt'), 'utf8').trim().split('\n').map(Number)
  assert.equal(pids.length, 5)
  assert.deepEqual(pids.filter(isAlive), [])
})

test('child processes left by a successful run end too', async t => {
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts': `import { spawn } from 'node:child_process'\n${oneJob(
        "() => { const child = spawn('setsid', ['sleep', '1000'], { detached: true }); child.unref(); return child.pid }",
      )}`,
    },
  })
  const ended = await run('job')
  assert.equal(ended.status, 'succeeded')
  assert.equal(isAlive(ended.result as number), false)
})

test('cancel lets a job that handles the signal clean up, and does not wait for others', async t => {
  const { engine, ended } = await startInstance(t, {
    runs: { graceMs: 20_000 },
    files: {
      'manifest.ts': `${registry}import { setTimeout } from 'node:timers/promises'
jobRegistry.register({ id: 'tidy', cron: '@daily', func: async ({ signal, log }) => {
  log('ready'); await setTimeout(60_000, null, { signal }).catch(() => {}); log('tidied up') } })
jobRegistry.register({ id: 'deaf', cron: '@daily', func: async ({ log }) => { log('ready'); await setTimeout(60_000) } })`,
    },
  })
  for (const job of ['tidy', 'deaf']) {
    const { id } = engine.run(job, { trigger: 'api' })
    await until(() => engine.log(id).includes('ready'), 'it runs')
    const cancelled = await engine.cancel(id)
    assert.equal(cancelled?.status, 'cancelled')
    assert.equal(engine.log(id), job === 'tidy' ? 'ready\ntidied up\n' : 'ready\n')
    assert.equal((await engine.cancel(id))?.status, 'cancelled', 'twice is once')
    assert.equal((await ended(id)).trigger, 'api')
  }
  assert.equal(await engine.cancel('run_none'), null)
})

test('runs beyond the limit are queued in order, can be cancelled there, and are refused when the queue is full', async t => {
  const { engine, ended } = await startInstance(t, {
    runs: { concurrent: 1, waiting: 2 },
    files: {
      'manifest.ts': oneJob(
        'async ({ params }) => { while (params.wait) await new Promise(d => setTimeout(d, 50)) }',
      ),
    },
  })
  const first = engine.run('job', { trigger: 'manual', params: { wait: true } })
  const second = engine.run('job', { trigger: 'manual' })
  const third = engine.run('job', { trigger: 'manual' })
  assert.deepEqual([first.status, second.status, third.status], ['running', 'queued', 'queued'])
  assert.throws(() => engine.run('job', { trigger: 'manual' }), { code: 'too-many-runs', status: 429 })
  assert.throws(() => engine.run('none', { trigger: 'manual' }), { code: 'unknown-job', status: 404 })
  assert.equal((await engine.cancel(second.id))?.status, 'cancelled')
  await engine.cancel(first.id)
  assert.equal((await ended(third.id)).status, 'succeeded')
  assert.equal(engine.getRun(second.id)?.startedAt, null)
  assert.deepEqual(
    engine.runs({ limit: 2, offset: 1 }).runs.map(run => run.id),
    [second.id, first.id],
  )
  assert.equal(engine.runs({ status: 'cancelled', limit: 1, offset: 0 }).total, 2)
})

test('a long log keeps its beginning and its end, and can be followed while it grows', async t => {
  const { engine, ended, dir } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob(`async ({ log }) => {
        log('first line')
        for (let i = 0; i < 4000; i++) log(String(i).padStart(1000, '.'))
        log('last line')
      }`),
    },
  })
  const { id } = engine.run('job', { trigger: 'manual' })
  let followed = ''
  const end = Promise.withResolvers<void>()
  engine.openLog(id).follow(piece => {
    if (piece === null) end.resolve()
    else followed += piece.written
  })
  await end.promise
  assert.equal((await ended(id)).status, 'succeeded')
  assert.deepEqual([followed.slice(0, 11), followed.slice(-10)], ['first line\n', 'last line\n'])
  assert.ok(followed.length > 4_000_000)
  const log = engine.log(id)
  assert.ok(log.startsWith('first line\n') && log.endsWith('last line\n'))
  assert.match(log, /\n\[longhouse\] … \d+ bytes left out here …\n/)
  assert.ok(log.length > 1_000_000 && log.length < 1_200_000)
  assert.ok(statSync(join(dir, 'runs', `${id}.log`)).size < 5_000_000)
  const nothingMore = await new Promise(resolve => engine.openLog(id).follow(resolve))
  assert.equal(nothingMore, null)
})

test('a stop interrupts every run in progress; a queued run starts after the restart', async t => {
  const instance = await startInstance(t, {
    runs: { concurrent: 1 },
    files: {
      'manifest.ts': oneJob(
        '({ log, params }) => { if (params.quick) return 5; log(process.pid); return new Promise(() => setInterval(() => {}, 1000)) }',
      ),
    },
  })
  const { engine } = instance
  const going = engine.run('job', { trigger: 'manual' })
  const waiting = engine.run('job', { trigger: 'manual', params: { quick: true } })
  const pid = Number(await until(() => engine.log(going.id).trim(), 'it runs'))
  await instance.restart()
  const run = instance.engine.getRun(going.id)
  assert.deepEqual([run?.status, run?.error?.message], ['interrupted', 'the instance was stopped'])
  assert.equal((await instance.ended(waiting.id)).result, 5)
  assert.equal(isAlive(pid), false)
})

test('only the newest runs of each job are kept, with their logs', async t => {
  const { engine, run, dir } = await startInstance(t, {
    keep: { runsPerJob: 2 },
    files: { 'manifest.ts': oneJob("() => console.log('x')") },
  })
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.push((await run('job')).id)
  await engine.prune()
  const kept = engine.runs({ jobId: 'job', limit: 10, offset: 0 })
  assert.deepEqual(
    kept.runs.map(each => each.id),
    ids.slice(2).reverse(),
  )
  assert.deepEqual(
    ids.map(id => existsSync(join(dir, 'runs', `${id}.log`))),
    [false, false, true, true],
  )
})
