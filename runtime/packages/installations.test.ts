import assert from 'node:assert/strict'
import { execFile, execFileSync, fork, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { programRoot } from '../../src/root.ts'
import { setClock } from '../../src/testing/clock.ts'
import { startInstance, until } from '../engine.fixture.ts'
import { cookieOf, password, postJson } from '../web/web.fixture.ts'
import { startRegistry } from './registry.fixture.ts'

const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

const asks = (dependencies: Record<string, string>, more: object = {}) =>
  JSON.stringify({ name: 'jobs', private: true, type: 'module', dependencies, ...more })

/** What it says is known by `import`, by `require`, in a worker, and in a Node program that the job starts. */
const everyWay = `import { text } from 'greeting'
import { createRequire } from 'node:module'
import { execFileSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const require = createRequire(import.meta.url)
export async function run({ params }: { params: { wait?: string } }) {
  while (params.wait && !existsSync(params.wait)) await new Promise(done => setTimeout(done, 20))
  const [inWorker] = await once(new Worker(new URL('./worker.ts', import.meta.url)), 'message')
  const inProgram = execFileSync(process.execPath, ['jobs/program.ts'], { encoding: 'utf8' })
  return [text, require('greeting').text, (await import('greeting/more.js')).more, inWorker, inProgram]
}`

const files = {
  'jobs/all.ts': everyWay,
  'jobs/worker.ts': `import { text } from 'greeting'
import { parentPort } from 'node:worker_threads'
parentPort?.postMessage(text)`,
  'jobs/program.ts': `import { text } from 'greeting'\nprocess.stdout.write(text)`,
  'manifest.ts': `import { run } from './jobs/all'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: run, params: { wait: { type: 'string', optional: true } } })
`,
}
const five = (text: string) => Array(5).fill(text)

async function withGreeting(t: TestContext) {
  const registry = await startRegistry(t)
  for (const [version, text] of Object.entries({ '1.0.0': 'one', '2.0.0': 'two', '3.0.0': 'three' })) {
    registry.publish(
      'greeting',
      version,
      { 'index.js': `export const text = '${text}'`, 'more.js': `export const more = '${text}'` },
      { exports: { '.': './index.js', './more.js': './more.js' } },
    )
  }
  return { registry, npmrc: `registry=${registry.url}/\n` }
}

async function live(t: TestContext, options: Parameters<typeof startInstance>[1] = {}) {
  const { registry, npmrc } = await withGreeting(t)
  const instance = await startInstance(t, {
    ...options,
    files: { ...files, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }), ...options.files },
  })
  await until(() => instance.engine.manifest().status === 'ok', 'it is live')
  const kept = () =>
    readdirSync(join(instance.dir, 'packages'))
      .filter(name => !name.startsWith('.'))
      .sort()
  const version = () =>
    JSON.parse(readFileSync(instance.path('node_modules/greeting/package.json'), 'utf8')).version as string
  return Object.assign(instance, { registry, kept, version })
}

test('the live set keeps the packages that it was loaded with when the new manifest is refused after an installation', async t => {
  const instance = await live(t)
  const { engine, write, run, path, kept, version, restart } = instance
  assert.deepEqual((await run('job')).result, five('one'))
  const [first] = kept()
  assert.equal(readlinkSync(path('node_modules')), `../packages/${first}/node_modules`)

  write('manifest.ts', files['manifest.ts'].replace('0 8 * * *', 'never'))
  write('package.json', asks({ greeting: '2.0.0' }))
  await until(() => version() === '2.0.0', 'the other version is installed')
  await until(() => engine.manifest().errors[0]?.file === 'manifest.ts', 'the manifest is refused')
  assert.deepEqual((await run('job')).result, five('one'))
  assert.equal(kept().length, 2)
  await restart()
  assert.deepEqual((await run('job')).result, five('one'), 'after a restart as well')

  write('manifest.ts', files['manifest.ts'])
  await until(() => instance.engine.manifest().status === 'ok', 'it is live')
  assert.deepEqual((await run('job')).result, five('two'))
  const { kept: shown } = instance.engine.packages()
  assert.deepEqual(
    shown.map(({ name, current }) => [name, current]),
    [[kept()[0], true]],
    'what nothing refers to is gone',
  )
  const { app } = instance.engine
  const Cookie = cookieOf(await postJson(app, '/api/auth/password', { password }))
  const answer = await app.request('/api/jobs/repo', { headers: { Cookie } })
  const { packages } = (await answer.json()) as { packages: Record<string, unknown> }
  assert.ok(Number(packages.cache_bytes) > 0)
  assert.deepEqual(packages, {
    kept: shown.map(({ installedAt, ...each }) => ({
      ...each,
      installed_at: new Date(installedAt).toISOString(),
    })),
    bytes: shown[0]?.bytes,
    most_kept: 4,
    limit_bytes: 2 * 1024 ** 3,
    cache_bytes: packages.cache_bytes,
    cache_limit_bytes: 512 * 1024 ** 2,
  })
})

test('a run keeps its packages while the next ones are installed, and its installation goes when it has ended', async t => {
  const { engine, write, run, path, kept, ended } = await live(t)
  mkdirSync(path('data'), { recursive: true })
  const { id } = engine.run('job', { trigger: 'manual', params: { wait: 'data/go' } })
  await until(() => engine.getRun(id)?.status === 'running', 'it runs')
  const [first] = kept()

  write('package.json', asks({ greeting: '2.0.0' }))
  await until(async () => ((await run('job')).result as string[])[0] === 'two', 'the next set is live')
  assert.deepEqual((await run('job')).result, five('two'))
  assert.equal(kept().length, 2)

  writeFileSync(path('data/go'), '')
  assert.deepEqual((await ended(id)).result, five('one'))
  await engine.reload()
  assert.equal(kept().length, 1)
  assert.notEqual(kept()[0], first)
})

test('errors of packages name files as in a clone, and no folder of the instance', async t => {
  const { registry, engine, write, run, path } = await live(t)
  registry.publish(
    'throws',
    '1.0.0',
    { 'index.js': "export function fail() {\n  throw new Error('of the package')\n}" },
    { exports: { '.': './index.js', './gone.js': './gone.js' } },
  )
  write(
    'jobs/all.ts',
    `import { fail } from 'throws'\nexport const run = async ({ params }: { params: { wait?: string } }) => params.wait ? import(params.wait) : fail()\n`,
  )
  write('package.json', asks({ throws: '1.0.0' }))
  await until(() => existsSync(path('node_modules/throws')), 'the package is installed')
  await until(() => engine.manifest().status === 'ok', 'it is live')
  const { error } = await run('job')
  assert.match(error?.stack ?? '', /node_modules\/throws\/index\.js:2:9[\s\S]*jobs\/all\.ts:2/)
  for (const [specifier, why] of Object.entries({
    'throws/gone.js': /Cannot find module '.*node_modules\/throws\/gone\.js' imported from .*jobs\/all\.ts/,
    'throws/closed.js':
      /Package subpath '\.\/closed\.js' is not defined by "exports" in .*imported from .*jobs\/all\.ts/,
  })) {
    const failed = await run('job', { wait: specifier })
    assert.match(failed.error?.message ?? '', why)
    assert.doesNotMatch(failed.error?.stack ?? '', /packages\/[0-9a-f]{20}/)
  }
})

test('going back to packages that are still kept fetches nothing', async t => {
  const { engine, write, run, path, kept, registry } = await live(t)
  mkdirSync(path('data'), { recursive: true })
  const lock = readFileSync(path('package-lock.json'), 'utf8')
  const { id } = engine.run('job', { trigger: 'manual', params: { wait: 'data/go' } })
  await until(() => engine.getRun(id)?.status === 'running', 'it runs')
  write('package.json', asks({ greeting: '2.0.0' }))
  await until(async () => ((await run('job')).result as string[])[0] === 'two', 'the next set is live')
  assert.equal(kept().length, 2)
  const asked = registry.asked.length
  write('package-lock.json', lock)
  write('package.json', asks({ greeting: '1.0.0' }))
  await until(async () => ((await run('job')).result as string[])[0] === 'one', 'the first is back')
  assert.equal(registry.asked.length, asked)
})

test('no more installations are kept than there may be: the next one waits until a run has ended', async t => {
  const clock = setClock()
  const { engine, write, run, path, ended } = await live(t, { install: { kept: 2 }, clock })
  mkdirSync(path('data'), { recursive: true })
  const { id } = engine.run('job', { trigger: 'manual', params: { wait: 'data/go' } })
  await until(() => engine.getRun(id)?.status === 'running', 'it runs')
  write('package.json', asks({ greeting: '2.0.0' }))
  await until(async () => ((await run('job')).result as string[])[0] === 'two', 'the next set is live')
  write('package.json', asks({ greeting: '3.0.0' }))
  await until(() => engine.packages().status === 'failed', 'it has to wait')
  assert.match(engine.packages().error ?? '', /^2 installations of packages are kept, the most/)
  assert.equal(engine.packages().kept.length, 2)
  assert.deepEqual((await run('job')).result, five('two'))

  writeFileSync(path('data/go'), '')
  await ended(id)
  clock.advance(60_000)
  await engine.retryPackages()
  await until(async () => ((await run('job')).result as string[])[0] === 'three', 'it is installed')
})

test('packages that take too much of the disk are refused, with the names of the largest', async t => {
  const { registry, engine, write, run, version } = await live(t, { install: { bytes: 1024 * 1024 } })
  registry.publish('huge', '1.0.0', { 'index.js': '/*'.padEnd(3 * 1024 * 1024, 'x') })
  registry.publish('@some/large', '1.0.0', { 'index.js': '/*'.padEnd(512 * 1024, 'x') })
  write('package.json', asks({ greeting: '2.0.0', huge: '1.0.0', '@some/large': '1.0.0' }))
  await until(() => engine.packages().status === 'failed', 'it is refused')
  assert.match(
    engine.packages().error ?? '',
    /^the packages take 3\.5 MiB, more than the 1 MiB .* The largest: huge \(\d MiB\), @some\/large \(\d+ KiB\), greeting/,
  )
  assert.equal(engine.packages().nextTryAt, null, 'nothing but a change helps')
  assert.deepEqual((await run('job')).result, five('one'))
  assert.equal(version(), '1.0.0')
})

test('npm in the checkout makes a folder of its own, which counts, and the next change goes on beside the repo', async t => {
  const { engine, write, run, path, dir, kept, registry } = await live(t)
  const byHand = await promisify(execFile)(
    process.execPath,
    [
      programRoot('node_modules/npm/bin/npm-cli.js'),
      ...['install', 'greeting@2.0.0', '--save-exact', '--no-audit', '--cache', join(dir, 'by-hand')],
    ],
    { cwd: path('') },
  )
  assert.match(byHand.stdout, /changed|added/)
  // The instance may have made an installation of that folder by now.
  assert.match(readFileSync(path('node_modules/greeting/package.json'), 'utf8'), /"version": *"2\.0\.0"/)
  await until(async () => ((await run('job')).result as string[])[0] === 'two', 'what npm installed is live')
  assert.deepEqual((await run('job')).result, five('two'))
  const asked = registry.asked.length
  await engine.reload()
  assert.equal(registry.asked.length, asked, 'it is not installed again')

  write('package.json', asks({ greeting: '3.0.0' }))
  await until(async () => ((await run('job')).result as string[])[0] === 'three', 'the next is live')
  assert.equal(lstatSync(path('node_modules')).isSymbolicLink(), true)
  assert.equal(kept().length, 1)
})

test('a folder that an older version of the program installed becomes an installation', async t => {
  const { restart, run, path, dir, engine, registry } = await live(t)
  await engine.stop()
  const [name = ''] = readdirSync(join(dir, 'packages')).filter(each => !each.startsWith('.'))
  rmSync(path('node_modules'))
  renameSync(join(dir, 'packages', name, 'node_modules'), path('node_modules'))
  rmSync(join(dir, 'packages'), { recursive: true })
  const asked = registry.asked.length
  await restart()
  assert.equal(readlinkSync(path('node_modules')), `../packages/${name}/node_modules`)
  assert.deepEqual((await run('job')).result, five('one'))
  assert.equal(registry.asked.length, asked)
})

test('an installation of packages of the repo that fails leaves what was there', async t => {
  const { engine, write, run, version } = await live(t)
  write('own/package.json', JSON.stringify({ name: 'own', version: '1.0.0' }))
  write('package.json', asks({ greeting: '2.0.0', own: 'file:./own', nowhere: '1' }))
  await until(() => engine.packages().status === 'failed', 'it fails')
  assert.equal(version(), '1.0.0')
  assert.deepEqual((await run('job')).result, five('one'))
})

test('a full disk keeps the running set, and the installation goes on when there is space again', {
  skip: !canMount && 'this system mounts nothing here',
}, async t => {
  // Not one that goes when the test ends: it is unmounted before.
  const place = mkdtempSync(join(tmpdir(), 'longhouse-small-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', place])
  const clock = setClock()
  const instance = await live(t, { place, clock })
  t.after(() => {
    execFileSync('umount', ['-l', place])
    rmSync(place, { recursive: true })
  })
  const { registry, engine, write, run, kept, version } = instance
  const noise = randomBytes(16 * 1024 * 1024).toString('base64')
  registry.publish('huge', '1.0.0', { 'index.js': `export const text = '${noise}'` })
  write('package.json', asks({ greeting: '2.0.0', huge: '1.0.0' }))
  await until(() => engine.packages().status === 'failed', 'it fails')
  assert.match(engine.packages().error ?? '', /^the volume is full/)
  assert.deepEqual((await run('job')).result, five('one'))
  assert.equal(version(), '1.0.0')
  assert.equal(kept().length, 1)

  execFileSync('mount', ['-o', 'remount,size=256m', place])
  clock.advance(60_000)
  await engine.retryPackages()
  await until(async () => ((await run('job')).result as string[])[0] === 'two', 'it is installed')
})

test('a runtime that is killed during an installation goes on with the packages that it had, and installs at its next start', async t => {
  const instance = await live(t)
  const { registry, write, run, path, dir, restart, kept, version } = instance
  await instance.engine.stop()
  const lock = readFileSync(path('package-lock.json'), 'utf8')
  const first = kept().length
  for (const [when, reached] of Object.entries({
    'while npm waits': () =>
      registry.asked.some(each => each.endsWith('2.0.0.tgz') || each === 'GET /greeting'),
    'as soon as it has its name': () => kept().length > first,
    'when the lockfile is written': () => readFileSync(path('package-lock.json'), 'utf8') !== lock,
  })) {
    write('package-lock.json', lock)
    write('package.json', asks({ greeting: '2.0.0' }))
    registry.asked.length = 0
    registry.answers(when !== 'while npm waits')
    const program = fork(programRoot('runtime/engine-process.fixture.ts'), [dir])
    const ended = once(program, 'exit')
    await until(reached, when)
    program.kill('SIGKILL')
    await ended
    registry.answers(true)
    assert.match(version(), /^[12]\.0\.0$/, `${when}: the repo has packages`)
    await restart()
    await until(async () => ((await run('job')).result as string[])[0] === 'two', `${when}: it converges`)
    assert.deepEqual((await run('job')).result, five('two'))
    await instance.engine.reload()
    assert.equal(readdirSync(join(dir, 'packages')).length, 1, 'nothing is left of what was broken off')
    write('package-lock.json', lock)
    write('package.json', asks({ greeting: '1.0.0' }))
    await until(async () => ((await run('job')).result as string[])[0] === 'one', 'back to the first')
    await instance.engine.reload()
    await instance.engine.stop()
  }
})

test('packages with something missing are made anew, and jobs keep what they have until then', async t => {
  const { registry, engine, run, path, dir, kept } = await live(t)
  const [name] = kept()
  registry.fails(503)
  rmSync(join(dir, 'cache/npm'), { recursive: true })
  rmSync(path('node_modules/.package-lock.json'))
  rmSync(path('node_modules/.longhouse'))
  await until(() => engine.packages().status === 'failed', 'they are noticed, and the registry fails')
  assert.deepEqual((await run('job')).result, five('one'))
  registry.fails(null)
  assert.equal((await engine.installPackages()).status, 'installed')
  assert.ok(existsSync(path('node_modules/.package-lock.json')))
  assert.deepEqual((await run('job')).result, five('one'))
  assert.deepEqual(kept(), [name])
})
