import assert from 'node:assert/strict'
import { execFileSync, fork, spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { programRoot } from '../src/root.ts'
import { createEngine, isAlive, oneJob, registry, startInstance, until } from './engine.fixture.ts'
import { openVolume } from './open-volume.ts'
import { asWritten } from './runner/log-line.ts'

test('an empty volume gets the starter jobs, a commit of them, and a first run that succeeds', async t => {
  const { engine, run, path } = await startInstance(t)
  const [job] = engine.jobs()
  assert.deepEqual(
    [job?.id, job?.cron, job?.timezone, job?.enabled],
    ['daily-digest', '0 8 * * *', 'UTC', true],
  )
  assert.equal(job?.source?.file, 'manifest.ts')
  await until(() => engine.manifest().commit, 'the first commit')
  assert.deepEqual(engine.manifest().errors, [])
  const repo = await engine.repo()
  assert.deepEqual(
    [repo.initialized, repo.branch, repo.dirty, repo.head?.commit],
    [true, 'main', false, engine.manifest().commit],
  )
  assert.match(repo.head?.message ?? '', /^Begin with the starter jobs\n\n- Add /)
  const ended = await run('daily-digest')
  assert.equal(ended.status, 'succeeded')
  assert.equal(ended.commit, engine.manifest().commit)
  assert.match(engine.log(ended.id), /^Good morning\. It is /)
  assert.equal(existsSync(path('node_modules/longhouse/jobs.d.ts')), true)
  for (const [name, check] of engine.checks) await assert.doesNotReject(async () => check(), name)
})

test('the starter jobs compile in an editor, and their test passes', async t => {
  const { path } = await startInstance(t)
  const tsc = programRoot('node_modules/.bin/tsc')
  execFileSync(tsc, ['-p', path('.')], { cwd: path('.'), encoding: 'utf8' })
  mkdirSync(path('node_modules/@types'))
  symlinkSync(programRoot('node_modules/@types/node'), path('node_modules/@types/node'))
  execFileSync(tsc, ['-p', path('.')], { cwd: path('.') })
  writeFileSync(path('manifest.ts'), `${registry}jobRegistry.register({ id: 'x', cron: '@daily' })`)
  const { stdout } = spawnSync(tsc, ['-p', path('.')], { cwd: path('.'), encoding: 'utf8' })
  assert.match(stdout, /'func' is missing/)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  execFileSync(process.execPath, ['--test', path('jobs/daily-digest.test.ts')], { env })
})

test('a save goes live without a restart: a new job, a changed one and a removed one', async t => {
  const { engine, write, path, run } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1') },
  })
  const first = engine.manifest().commit
  write('jobs/two.ts', 'export const two = () => 2')
  write(
    'manifest.ts',
    `${registry}import { two } from './jobs/two'\njobRegistry.register({ id: 'two', cron: '@daily', func: two })`,
  )
  await until(() => engine.job('two'), 'the new job is live')
  assert.equal(engine.job('job'), null)
  await until(() => engine.manifest().commit !== first, 'the change is committed')
  const repo = await engine.repo()
  assert.equal(repo.head?.message, 'Add jobs/two.ts, update manifest.ts\n\nJobs:\n+ two (@daily, UTC)\n- job')
  assert.equal((await run('two')).result, 2)

  // As editors save: a new file that takes the place of the old one.
  writeFileSync(path('jobs/.two.swp'), 'export const two = () => 22')
  renameSync(path('jobs/.two.swp'), path('jobs/two.ts'))
  await until(async () => (await run('two')).result === 22, 'the change is live')

  // A folder that goes and comes back.
  rmSync(path('jobs'), { recursive: true })
  await until(() => engine.manifest().status === 'error', 'the missing file is noticed')
  write('jobs/two.ts', 'export const two = () => 222')
  await until(async () => (await run('two')).result === 222, 'the folder is watched again')
})

test('a broken save keeps the last good set running, also after a restart, and is not committed', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': oneJob("() => 'good'") } })
  const good = instance.engine.manifest()
  instance.write(
    'manifest.ts',
    `${oneJob("() => 'bad'")}jobRegistry.register({ id: 'job', cron: 'x', func: 1 })`,
  )
  await until(() => instance.engine.manifest().status === 'error', 'the mistake is seen')
  const stillGood = async () => {
    const { errors, commit, loadedAt, status } = instance.engine.manifest()
    assert.equal(status, 'error')
    assert.ok(errors.every(error => error.file === 'manifest.ts' && error.line === 3))
    assert.deepEqual([commit, loadedAt], [good.commit, good.loadedAt])
    assert.deepEqual((await instance.run('job')).result, 'good')
    const repo = await instance.engine.repo()
    assert.deepEqual([repo.dirty, repo.head?.commit], [true, good.commit])
  }
  await stillGood()
  await instance.restart()
  await stillGood()
  instance.write('manifest.ts', oneJob("() => 'better'"))
  await until(() => instance.engine.manifest().status === 'ok', 'the correction is live')
  assert.equal((await instance.run('job')).result, 'better')
  assert.notEqual(instance.engine.manifest().commit, good.commit)
})

test('a run finishes with the code that it started with', async t => {
  const { engine, write, ended, path } = await startInstance(t, {
    files: {
      'manifest.ts': `import { existsSync } from 'node:fs'\n${oneJob(
        "async ({ log }) => { log('waits'); while (!existsSync('data/go')) await new Promise(d => setTimeout(d, 20)); return (await import('./late')).text }",
      )}`,
      'late.ts': "export const text = 'old'",
      '.gitignore': 'data/\n',
    },
  })
  const { id, commit } = engine.run('job', { trigger: 'manual' })
  await until(() => engine.log(id), 'it runs')
  write('late.ts', "export const text = 'new'")
  await until(() => engine.manifest().commit !== commit, 'the change is live')
  write('data/go', '')
  const run = await ended(id)
  assert.deepEqual([run.result, run.commit], ['old', commit])
  assert.equal((await engine.repo()).dirty, false, path('data/go'))
})

test('an unchanged volume starts without a build', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  await until(() => instance.engine.manifest().commit, 'the first commit')
  const before = instance.engine.manifest()
  await instance.restart({ load: { readMs: 1 } })
  assert.deepEqual(instance.engine.manifest(), before)
  assert.equal((await instance.run('job')).status, 'succeeded')
  const state = await instance.engine.reload()
  assert.match(state.errors[0]?.message ?? '', /took longer than 0.001 seconds/, 'asked to, it does build')
})

test('a live set stored in the format of another version is read again', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1', "timeout: '7s'") } })
  const other = new Database(join(instance.dir, 'longhouse.db'))
  other.exec(`update jobs_live_sets set jobs = '[{"name":"job"}]', tree = 'as another program has it'`)
  other.close()
  await instance.restart()
  await until(() => instance.engine.job('job'), 'it is read again')
  assert.equal((await instance.run('job')).status, 'succeeded')
})

test('a volume belongs to one runtime at a time, and a read-only volume is refused', async t => {
  const { dir } = await startInstance(t)
  assert.throws(() => openVolume(dir, { waitMs: 0 }), /another runtime is running on/)
  const file = join(mkdtempSync(join(tmpdir(), 'longhouse-volume-')), 'file')
  writeFileSync(file, '')
  assert.throws(() => openVolume(join(file, 'volume')), /cannot write to .* \(ENOTDIR\)/)
  rmSync(join(file, '..'), { recursive: true })
})

test('a package named longhouse that is not ours is left alone', async t => {
  const foreign = '{ "name": "longhouse", "version": "9.9.9" }'
  const { path } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1'), 'node_modules/longhouse/package.json': foreign },
  })
  assert.equal(readFileSync(path('node_modules/longhouse/package.json'), 'utf8'), foreign)
  assert.equal(existsSync(path('node_modules/longhouse/jobs.js')), false)
})

test('types that a manual npm install removed are restored at the next check', async t => {
  const { engine, path } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  rmSync(path('node_modules/longhouse'), { recursive: true })
  await engine.reload()
  assert.equal(existsSync(path('node_modules/longhouse/jobs.d.ts')), true)
})

test('after a runtime was killed, the next one ends its runs, in the history and on the machine', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-killed-'))
  mkdirSync(join(dir, 'jobs'))
  const job = `({ log }) => {
    const daemon = spawn('setsid', ['sleep', '1000'], { detached: true, stdio: 'ignore' })
    log(JSON.stringify([process.pid, daemon.pid]))
    return new Promise(() => setInterval(() => {}, 1000))
  }`
  writeFileSync(join(dir, 'jobs/manifest.ts'), `import { spawn } from 'node:child_process'\n${oneJob(job)}`)
  const child = fork(programRoot('runtime/engine-process.fixture.ts'), [dir])
  t.after(() => child.kill('SIGKILL'))
  const answers = on(child, 'message')
  assert.deepEqual((await answers.next()).value, ['ready', undefined])
  child.send('job')
  const [runId] = (await answers.next()).value as [string]
  const log = join(dir, 'runs', `${runId}.log`)
  const pids = JSON.parse(
    await until(() => (existsSync(log) ? asWritten(readFileSync(log, 'utf8')) : null), 'it runs'),
  ) as number[]
  const killed = once(child, 'exit')
  child.kill('SIGKILL')
  await killed

  const engine = await createEngine({ volume: openVolume(dir), log: silentLog, clock: systemClock })
  t.after(async () => {
    await engine.stop()
    rmSync(dir, { recursive: true })
  })
  const run = engine.getRun(runId)
  assert.equal(run?.status, 'interrupted')
  assert.match(run?.error?.message ?? '', /ended without stopping/)
  await until(() => !pids.some(isAlive), 'its processes are gone')
  assert.ok(engine.job('job')?.nextRunAt, 'the schedule goes on')
})

test('a job that writes into the repo causes no builds, and no commit for every line', async t => {
  const { engine, run, write, path } = await startInstance(t, {
    files: {
      'manifest.ts': `import { appendFileSync } from 'node:fs'\n${oneJob("() => appendFileSync('data/seen.txt', 'x')")}`,
      'words.json': '{}',
    },
  })
  const { loadedAt, commit } = engine.manifest()
  await run('job')
  await until(() => engine.manifest().commit !== commit, 'the first change is committed')
  const first = await engine.repo()
  assert.equal(first.head?.message, 'Add data/seen.txt')
  await run('job')
  await until(async () => (await engine.repo()).dirty, 'the second one is seen')
  write('words.json', '{ "a": 1 }')
  assert.equal((await engine.repo()).head?.commit, first.head?.commit)
  assert.equal(engine.manifest().loadedAt, loadedAt)

  await engine.reload()
  const all = await engine.repo()
  assert.deepEqual(
    [all.dirty, all.head?.message],
    [false, 'Update data/seen.txt, update words.json'],
    path('.'),
  )
  write('new.ts', 'export {}')
  const { loadedAt: reloadedAt } = engine.manifest()
  await until(() => engine.manifest().loadedAt !== reloadedAt, 'what may be code is loaded')
})

test('a manifest that suddenly registers no jobs waits for a confirmation, also after a restart', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': oneJob("() => 'still'") } })
  const good = instance.engine.manifest()
  assert.equal(good.difference, null)
  instance.write('manifest.ts', registry)
  await until(() => instance.engine.manifest().waitingFor, 'it is held back')
  const isHeld = async () => {
    const { status, errors, commit, waitingFor, difference } = instance.engine.manifest()
    assert.deepEqual([status, commit, waitingFor], ['error', good.commit, 'confirmation'])
    assert.match(errors[0]?.message ?? '', /no longer registers any jobs, where there was one/)
    assert.deepEqual([difference?.removed, difference?.jobs[0]?.id], [1, 'job'])
    assert.equal((await instance.run('job')).result, 'still')
  }
  await isHeld()
  await instance.restart()
  await isHeld()
  instance.write('manifest.ts', oneJob("() => 'other'", "timezone: 'Asia/Tokyo'"))
  await until(() => instance.engine.manifest().status === 'ok', 'a set with jobs needs no confirmation')
  const [changed] = instance.engine.manifest().difference?.jobs ?? []
  assert.deepEqual([changed?.kind, changed?.fields], ['changed', ['timezone']])
  assert.ok(changed?.nextRunAt)

  instance.write('manifest.ts', registry)
  await until(() => instance.engine.manifest().waitingFor, 'it is held back again')
  const confirmed = await instance.engine.confirm()
  assert.deepEqual([confirmed.status, confirmed.waitingFor], ['ok', null])
  assert.deepEqual(instance.engine.jobs(), [])
  assert.match((await instance.engine.repo()).head?.message ?? '', /Jobs:\n- job$/)
  assert.deepEqual(await instance.engine.confirm(), confirmed, 'where nothing is held, nothing happens')
})
