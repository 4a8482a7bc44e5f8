import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { programRoot } from '../../../src/root.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { createEngine, isAlive, oneJob, registry, startInstance, until } from '../../engine.fixture.ts'
import { openVolume } from '../../open-volume.ts'
import { volumeProcesses } from '../../process/process-tree.ts'

const withFs = (source: string) => `import { writeSync } from 'node:fs'\n${source}`

test('malformed data on a job’s channel ends that run, and nothing else', async t => {
  const jobs = {
    garbage: "() => { writeSync(3, 'garbage\\n'); return 1 }",
    untrue: `() => { writeSync(3, '{"result":"not json"}\\n'); return 1 }`,
    strange: `() => { writeSync(3, '[7]\\n'); return 1 }`,
    deep: `() => { writeSync(3, '['.repeat(30000) + ']'.repeat(30000) + '\\n') }`,
    'deep-result': `() => { writeSync(3, '{"result":"' + '['.repeat(30000) + ']'.repeat(30000) + '"}\\n') }`,
    endless: "() => { for (;;) try { writeSync(3, 'x'.repeat(65536)) } catch {} }",
    flood: `async () => { writeSync(3, '{"result":"1"}\\n'); for (;;) try { writeSync(3, 'x'.repeat(65536)) } catch {} }`,
    binary: '() => { writeSync(3, Buffer.alloc(1000, 255)); writeSync(3, Buffer.from([10])) }',
    fine: '() => 7',
  }
  const registered = Object.entries(jobs).map(
    ([id, func]) => `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func} })`,
  )
  const { run } = await startInstance(t, {
    files: { 'manifest.ts': withFs(registry + registered.join('\n')) },
  })
  const said = 'the job sent something else than its result over the channel of its runner'
  for (const id of ['garbage', 'strange', 'binary', 'deep', 'deep-result', 'endless']) {
    const ended = await run(id)
    assert.deepEqual([ended.status, ended.error?.message], ['failed', said], id)
  }
  assert.match((await run('untrue')).error?.message ?? '', /not JSON/)
  assert.deepEqual((await run('flood')).result, 1, 'who answers for its runner is done')
  assert.deepEqual((await run('fine')).result, 7)
})

test('a manifest that writes to the channel of its reader is refused with a reason', async t => {
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  for (const [source, words] of [
    ["writeSync(3, 'garbage\\n')", /said something that is not JSON/],
    ["writeSync(3, '{}\\n')", /changed what its reader answers/],
    ["for (;;) try { writeSync(3, 'x'.repeat(65536)) } catch {}", /said more than 16384 KiB/],
  ] as const) {
    write('manifest.ts', withFs(`${source}\nexport {}`))
    await until(() => words.test(engine.manifest().errors[0]?.message ?? ''), `the error says: ${words}`)
    assert.ok(engine.job('job'), 'the last good set runs on')
  }
})

test('a message of a hundred megabytes from a job is truncated', async t => {
  const { run } = await startInstance(t, {
    files: { 'manifest.ts': oneJob("() => { throw new Error('x'.repeat(100_000_000)) }") },
    runs: { memoryMb: 1024 },
  })
  const ended = await run('job')
  assert.deepEqual([ended.status, ended.error?.message.length], ['failed', 4000])
})

/** An engine of its own on the volume `dir`, for tests that kill it. */
function startEngineProcess(t: TestContext, dir: string): ChildProcess {
  const child = fork(programRoot('runtime/engine-process.fixture.ts'), [dir])
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('a busy process ends when its runtime is killed', async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs'))
  writeFileSync(join(dir, 'jobs/manifest.ts'), oneJob('({ log }) => { log(process.pid); for (;;) {} }'))
  const child = startEngineProcess(t, dir)
  const answers = on(child, 'message')
  assert.deepEqual((await answers.next()).value, ['ready', undefined])
  child.send('job')
  const [runId] = (await answers.next()).value as [string]
  const log = join(dir, 'runs', `${runId}.log`)
  const pid = Number(
    await until(() => (existsSync(log) ? /(\d+)\n$/.exec(readFileSync(log, 'utf8'))?.[1] : null), 'it runs'),
  )
  assert.ok(volumeProcesses(dir).includes(pid), 'it bears the mark of the volume')
  assert.equal(volumeProcesses(temporaryFolder(t)).length, 0)
  const killed = once(child, 'exit')
  child.kill('SIGKILL')
  await killed
  await until(() => !isAlive(pid), 'it is gone')
  await until(() => volumeProcesses(dir).length === 0, 'the git program too')
})

test('processes left by a killed runtime end at the next start, even when no run was in progress', async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs'))
  // As the daemon of a manifest: nothing in the books knows of it.
  writeFileSync(
    join(dir, 'jobs/manifest.ts'),
    `import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
const daemon = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
writeFileSync(tmpdir() + '/pid', String(daemon.pid))
for (;;) {}`,
  )
  const child = startEngineProcess(t, dir)
  const pid = Number(
    await until(() => {
      const root = join(dir, 'tmp')
      const files = existsSync(root) ? readdirSync(root).map(name => join(root, name, 'pid')) : []
      const file = files.find(existsSync)
      return file && readFileSync(file, 'utf8')
    }, 'it is there'),
  )
  const killed = once(child, 'exit')
  child.kill('SIGKILL')
  await killed
  assert.ok(isAlive(pid), 'nothing but a mark leads to it')
  writeFileSync(join(dir, 'jobs/manifest.ts'), oneJob('() => 1'))
  const engine = await createEngine({ volume: openVolume(dir), log: silentLog, clock: systemClock })
  t.after(() => engine.stop())
  await until(() => !isAlive(pid), 'it is gone')
})

test('a manifest that links out of the repo, or is very large, is refused with a reason', async t => {
  const { engine, path, write } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const elsewhere = temporaryFolder(t)
  writeFileSync(join(elsewhere, 'manifest.ts'), oneJob('() => 2'))
  rmSync(path('manifest.ts'))
  symlinkSync(join(elsewhere, 'manifest.ts'), path('manifest.ts'))
  await until(
    () => /a link out of the jobs repo/.test(engine.manifest().errors[0]?.message ?? ''),
    'the link',
  )
  rmSync(path('manifest.ts'))
  write('manifest.ts', `${oneJob('() => 3')}globalThis.data = '${'x'.repeat(100 * 1024 * 1024)}'`)
  await until(
    () =>
      /has 101 MiB, more than 64|took (longer|more) than/.test(engine.manifest().errors[0]?.message ?? ''),
    'the size',
  )
  assert.ok(engine.job('job'))
  assert.ok(readdirSync(join(path('..'), 'builds')).every(name => !name.startsWith('.new')))
})

test('package folders with circular links are harmless', async t => {
  const { engine, path, write, run } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1') },
  })
  mkdirSync(path('node_modules/a'), { recursive: true })
  symlinkSync('../../node_modules', path('node_modules/a/node_modules'))
  symlinkSync('.', path('circle'))
  symlinkSync('b.ts', path('a.ts'))
  symlinkSync('a.ts', path('b.ts'))
  write('manifest.ts', oneJob('() => 2'))
  await until(async () => (await run('job')).result === 2, 'the change is live')
  await until(() => engine.manifest().commit, 'it is committed')
})
