import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, registry, startInstance, until } from '../engine.fixture.ts'
import { landlockVersion } from './landlock.ts'
import { openSystemCalls } from './system-calls.ts'

const system = openSystemCalls()
const version = system ? landlockVersion(system) : 0
const withoutLandlock = version < 1 && 'needs Linux 5.13 or later with Landlock'

const imports = `${registry}import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { Worker } from 'node:worker_threads'
`
const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@daily', func: ${func} })\n`
/** What became of each of some attempts: its value, or the code or words of its failure. */
const each = (attempt: string) => `async ({ params }) => {
  const found: Record<string, unknown> = {}
  for (const path of params.paths as string[]) {
    try { found[path] = String(await (${attempt})(path)).slice(0, 40) } catch (error) {
      found[path] = (error as { code?: string }).code ?? 'failed'
    }
  }
  return found
}`
const manifest =
  imports +
  job('read', each('path => readFileSync(path)')) +
  job('read-later', each('path => readFile(path)')) +
  job('cat', each("path => execFileSync('cat', [path], { stdio: 'pipe' })")) +
  job('write', each("path => appendFileSync(path, '')")) +
  job('write-later', each("path => writeFile(path, '', { flag: 'a' })")) +
  job('touch', each("path => execFileSync('sh', ['-c', 'echo >> \"$0\"', path], { stdio: 'pipe' })"))

const outcomes = (paths: readonly string[], outcome: string) =>
  Object.fromEntries(paths.map(path => [path, outcome]))

test('a run can read only its code from the volume, and the error names the blocked file', async t => {
  const { run, dir, path } = await startInstance(t, {
    files: {
      'manifest.ts':
        manifest +
        job('plain', "() => readFileSync('../longhouse.db')") +
        job('own', "() => readFileSync('words.txt', 'utf8')"),
      'words.txt': 'of our own',
    },
  })
  writeFileSync(join(dir, 'secret.key'), 'do not tell')
  const first = await run('own')
  assert.deepEqual(first.result, 'of our own')
  const kept = [
    join(dir, 'longhouse.db'),
    join(dir, 'secret.key'),
    join(dir, 'runs', `${first.id}.log`),
    `/proc/${process.pid}/environ`,
  ]
  for (const way of ['read', 'read-later']) {
    assert.deepEqual((await run(way, { paths: kept })).result, outcomes(kept, 'ERR_ACCESS_DENIED'), way)
  }
  const open = [path('manifest.ts'), '/etc/hostname', '/proc/self/status']
  const found = (await run('read', { paths: open })).result as Record<string, string>
  assert.ok(
    Object.values(found).every(text => !/DENIED|^E[A-Z]+$/.test(text)),
    JSON.stringify(found),
  )
  assert.match(
    (await run('plain')).error?.message ?? '',
    /^jobs may not read \.\.\/longhouse\.db; they read the jobs repo, .* keys and passwords into secrets$/,
  )
})

test('an error that a job catches says what the job can do instead, on every path to it', async t => {
  const caught = (id: string, attempt: string) =>
    job(
      id,
      `async () => {
        try { await (${attempt})() } catch (error) {
          const { message, stack, code, permission, resource } = error as Error & Record<string, string>
          return { message, stack: stack.split('\\n')[0], code, permission, resource: resource.slice(-4) }
        }
      }`,
    )
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts':
        `${imports}import { deepStrictEqual } from 'node:assert'\nimport { createReadStream, readFile as readLater } from 'node:fs'\n` +
        caught('sync', "() => readFileSync('../x.db')") +
        caught('promise', "() => readFile('../x.db')") +
        caught(
          'callback',
          "() => new Promise((done, fail) => readLater('../x.db', error => error ? fail(error) : done(0)))",
        ) +
        caught('stream', "() => new Promise((_, fail) => createReadStream('../x.db').on('error', fail))") +
        caught('write', "() => writeFileSync('../x.db', '')") +
        job(
          'own',
          `() => {
            class Mine extends Error { constructor() { super('mine'); Object.assign(this, { resource: 'r', permission: 1 }) } }
            const made = new Mine()
            const frozen = Object.freeze(new Error('frozen'))
            const assigned = (() => { try { Object.assign(frozen, { resource: 1 }); return 'taken' } catch (error) { return error.name } })()
            const seen = []
            for (const error of [new Error('x'), structuredClone(new Error('x')), new TypeError('x')])
              for (const name in error) seen.push(name)
            deepStrictEqual(new Error('x'), new Error('x'))
            deepStrictEqual({ ...new Error('x') }, {})
            return [made.message, { ...made }, 'resource' in JSON.parse(JSON.stringify(new Error('x'))), seen, Object.keys(Error.prototype), assigned, Object.hasOwn(frozen, 'resource')]
          }`,
        ),
    },
  })
  for (const id of ['sync', 'promise', 'callback', 'stream', 'write']) {
    const found = (await run(id)).result as Record<string, string>
    const [verb, way] =
      id === 'write' ? ['write', 'they keep files in data/'] : ['read', 'Put what they need into the repo']
    assert.match(found.message ?? '', new RegExp(`^jobs may not ${verb} .*x\\.db; .*${way}`), id)
    assert.equal(found.stack, `Error: ${found.message}`, id)
    assert.deepEqual(
      [found.code, found.permission, found.resource],
      ['ERR_ACCESS_DENIED', id === 'write' ? 'FileSystemWrite' : 'FileSystemRead', 'x.db'],
      id,
    )
  }
  assert.deepEqual((await run('own')).result, [
    'mine',
    { resource: 'r', permission: 1 },
    false,
    [],
    [],
    'TypeError',
    false,
  ])
})

test('a run changes no file that it opened for reading, and makes links only in and to what it can write', async t => {
  const { run, path } = await startInstance(t, {
    files: {
      'manifest.ts': `${imports}import fs from 'node:fs'
import { open } from 'node:fs/promises'
const failure = async (work: () => unknown) => { try { await work() } catch (error) { return (error as Error).message } }
jobRegistry.register({ id: 'job', cron: '@daily', func: async () => {
  const fd = fs.openSync('manifest.ts', 'r')
  const handle = await open('manifest.ts')
  const found = [
    await failure(() => fs.fchmodSync(fd, 0o777)),
    await failure(() => fs.futimesSync(fd, 1, 1)),
    await failure(() => fs.fchownSync(fd, 0, 0)),
    await failure(() => handle.chmod(0o777)),
    await failure(() => fs.symlinkSync('../manifest.ts', 'data/link')),
    await failure(() => fs.symlinkSync('../../longhouse.db', 'data/link')),
    await failure(() => fs.symlinkSync('data/x', 'link')),
    await failure(() => fs.promises.symlink('/etc/passwd', 'data/link')),
    fs.readdirSync('data'),
  ]
  fs.closeSync(fd)
  await handle.close()
  fs.symlinkSync('x', tmpdir() + '/link')
  return found
} })`,
    },
  })
  const before = lstatSync(path('manifest.ts'))
  const { result, error } = await run('job')
  const found = (result ?? []) as string[]
  assert.equal(error, null)
  for (const words of found.slice(0, 4)) assert.match(words, /only of files that they opened for writing/)
  for (const words of found.slice(4, 8)) assert.match(words, /^jobs may not make the link .* lie in data\//)
  assert.deepEqual(found[8], [])
  const after = lstatSync(path('manifest.ts'))
  assert.deepEqual([after.mode, after.mtimeMs], [before.mode, before.mtimeMs])
  assert.ok(!existsSync(path('link')))
})

test('the threads by which a run reads and writes files are restricted', {
  skip: withoutLandlock,
}, async t => {
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts':
        imports +
        job(
          'threads',
          `async () => {
  await Promise.all(Array.from({ length: 8 }, () => readFile('manifest.ts')))
  const all = readdirSync('/proc/self/task').map(id => readFileSync('/proc/self/task/' + id + '/status', 'utf8'))
  const ofFiles = all.filter(text => /^Name:\\s+(libuv-worker|node-MainThread)/.test(text))
  return ofFiles.map(text => /NoNewPrivs:\\s+(\\d)/.exec(text)?.[1])
}`,
        ),
    },
  })
  const { result, error } = await run('threads')
  assert.equal(error, null)
  // The main thread, and Node's four for files.
  assert.deepEqual(result, ['1', '1', '1', '1', '1'])
})

test('a run can write only in its scratch folder and its temporary folder', async t => {
  const { run, dir, path } = await startInstance(t, {
    files: {
      'manifest.ts':
        manifest +
        job('plain', "() => writeFileSync('manifest.ts', '')") +
        job('scratch', "() => writeFileSync('data/kept.txt', 'kept')") +
        job('temporary', "() => writeFileSync(mkdtempSync(tmpdir() + '/job-') + '/file', '')"),
    },
  })
  const kept = ['longhouse.db', 'builds/x', 'jobs/manifest.ts', 'jobs/.git/config', 'jobs/new.txt', 'x'].map(
    name => join(dir, name),
  )
  const before = readFileSync(path('manifest.ts'), 'utf8')
  for (const way of ['write', 'write-later']) {
    assert.deepEqual((await run(way, { paths: kept })).result, outcomes(kept, 'ERR_ACCESS_DENIED'), way)
  }
  assert.match((await run('plain')).error?.message ?? '', /^jobs may not write .*; they keep files in data\//)
  assert.equal(readFileSync(path('manifest.ts'), 'utf8'), before)
  for (const id of ['scratch', 'temporary']) assert.equal((await run(id)).status, 'succeeded', id)
  assert.equal(readFileSync(path('data/kept.txt'), 'utf8'), 'kept')
})

test('a run’s child processes have the same restrictions', { skip: withoutLandlock }, async t => {
  const { run, dir, path } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  writeFileSync(join(dir, 'secret.key'), 'do not tell')
  const unread = ['longhouse.db', 'secret.key'].map(name => join(dir, name))
  unread.push(`/proc/${process.pid}/environ`)
  assert.deepEqual((await run('cat', { paths: unread })).result, outcomes(unread, 'failed'))
  const unwritten = ['longhouse.db', 'builds/x', 'jobs/manifest.ts', 'jobs/.git/config'].map(name =>
    join(dir, name),
  )
  assert.deepEqual((await run('touch', { paths: unwritten })).result, outcomes(unwritten, 'failed'))
  const open = [path('data/x'), '/dev/null']
  assert.deepEqual((await run('touch', { paths: open })).result, outcomes(open, ''))
  assert.ok(existsSync(path('data/x')))
})

test('a scratch folder that is a link is not followed', { skip: withoutLandlock }, async t => {
  const { run, dir, path } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  mkdirSync(join(dir, 'elsewhere'))
  rmSync(path('data'), { recursive: true, force: true })
  symlinkSync(join(dir, 'elsewhere'), path('data'))
  const paths = [path('data/x')]
  for (const way of ['write', 'write-later', 'touch']) {
    assert.notDeepEqual((await run(way, { paths })).result, outcomes(paths, ''), way)
  }
  assert.equal(existsSync(join(dir, 'elsewhere/x')), false)
})

test('the manifest is read with the same restrictions as a run', async t => {
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  for (const [source, words] of [
    ["readFileSync('../longhouse.db')", /jobs may not read .*; they read the jobs repo/],
    ["writeFileSync('data.txt', '')", /jobs may not write .*; they keep files in data/],
    ...(withoutLandlock ? [] : [["execFileSync('cat', ['../longhouse.db'])", /cat/] as const]),
  ] as const) {
    write('manifest.ts', `${imports}${source}`)
    await until(() => words.test(engine.manifest().errors[0]?.message ?? ''), `it is told: ${words}`)
  }
  write(
    'manifest.ts',
    `${imports}writeFileSync(tmpdir() + '/seen', readFileSync('manifest.ts'))
    const description = String(existsSync(tmpdir() + '/seen'))
    jobRegistry.register({ id: 'job', cron: '@daily', func: () => 1, description })`,
  )
  const loaded = await until(() => engine.job('job'), 'what it may do loads')
  assert.equal(loaded.description, 'true')
})

test('a run and its child processes cannot change which project their files count for', async t => {
  const { run, path } = await startInstance(t, {
    files: {
      'manifest.ts':
        imports +
        `import { spawnSync } from 'node:child_process'
        const said = (...words: string[]) => {
          const { status, stderr } = spawnSync('chattr', words, { encoding: 'utf8' })
          return [status, stderr]
        }\n` +
        job(
          'leaves',
          `() => {
            writeFileSync('data/mine', '')
            return [said('-p', '0', 'data/mine'), said('+P', 'data'), said('+A', 'data/mine')]
          }`,
        ),
    },
  })
  const { result, error } = await run('leaves')
  assert.equal(error, null)
  for (const [status, words] of result as [number, string][]) {
    assert.equal(status, 1)
    assert.match(words, /Operation not permitted/)
  }
  // Not because this file system has nothing of it.
  const outside = spawnSync('chattr', ['+A', path('data/mine')], { encoding: 'utf8' })
  if (outside.status !== 0) t.diagnostic(`nobody can do it here: ${outside.stderr}`)
})

test('a run and its child processes cannot end the runtime', async t => {
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts':
        imports +
        job('parent', "() => process.kill(process.ppid, 'SIGKILL')") +
        job('all', "() => process.kill(-1, 'SIGKILL')") +
        job('child', "() => execFileSync('sh', ['-c', 'kill -9 ' + process.ppid])") +
        job('own', "() => { const child = spawn('sleep', ['1000']); return child.kill() }"),
    },
  })
  for (const id of ['parent', 'all']) {
    assert.equal((await run(id)).error?.message, 'a job may not signal the process that runs it')
  }
  if (version >= 6) assert.equal((await run('child')).status, 'failed')
  assert.equal((await run('own')).result, true)
})

test('a daemon that leaves its parent, group and environment ends with its run', async t => {
  const daemon = `setsid env -i sh -c 'trap "" TERM; echo $$ >> data/pids; exec sleep 1000' >/dev/null 2>&1 &`
  const { engine, run, path } = await startInstance(t, {
    files: {
      'manifest.ts':
        imports +
        `const start = () => {
          for (let i = 0; i < 3; i++) execFileSync('sh', ['-c', ${JSON.stringify(daemon)}])
          while (!existsSync('data/pids') || readFileSync('data/pids', 'utf8').trim().split('\\n').length < 3);
        }\n` +
        job('good', 'start') +
        job('bad', "() => { start(); throw new Error('no') }") +
        job('long', '({ log }) => { start(); log("started"); for (;;); }') +
        job(
          'idle',
          '({ log }) => { start(); log("started"); return new Promise(() => setInterval(() => {}, 1000)) }',
        ),
    },
  })
  for (const [id, status] of [
    ['good', 'succeeded'],
    ['bad', 'failed'],
    ['long', 'cancelled'],
    ['idle', 'cancelled'],
  ] as const) {
    rmSync(path('data/pids'), { force: true })
    const started = status === 'cancelled' ? engine.run(id, { trigger: 'manual' }) : null
    if (started) {
      await until(() => engine.log(started.id), 'its daemons run')
      await engine.cancel(started.id)
    }
    const ended = started ? engine.getRun(started.id) : await run(id)
    assert.equal(ended?.status, status)
    const pids = readFileSync(path('data/pids'), 'utf8').trim().split('\n').map(Number)
    assert.equal(pids.length, 3)
    assert.deepEqual(pids.filter(isAlive), [], id)
  }
})

test('a run can use network, threads, other programs, certificates and time zones', async t => {
  const { run } = await startInstance(t, {
    files: {
      'manifest.ts': `${imports}import { createServer } from 'node:http'\nimport { once } from 'node:events'\n${job(
        'all',
        `async () => {
          const server = createServer((_, answer) => answer.end('served')).listen(0, '127.0.0.1')
          await once(server, 'listening')
          const served = await (await fetch('http://localhost:' + (server.address() as { port: number }).port)).text()
          const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1)", { eval: true })
          const [threaded] = await once(worker, 'message')
          const zone = new Date(0).toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo' })
          const node = execFileSync(process.execPath, ['-p', '40 + 2'], { encoding: 'utf8' }).trim()
          return { served, threaded, zone, node, home: process.env.HOME === tmpdir() }
        }`,
      )}`,
    },
  })
  const ended = await run('all')
  assert.equal(ended.error, null)
  assert.deepEqual(ended.result, { served: 'served', threaded: 1, zone: '09:00:00', node: '42', home: true })
})
