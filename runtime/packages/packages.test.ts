import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from './registry.fixture.ts'

const asks = (dependencies: Record<string, string>, more: object = {}) =>
  JSON.stringify({ name: 'jobs', private: true, type: 'module', dependencies, ...more })

const greets = `import { text } from 'greeting'\n${oneJob('() => text')}`

async function withGreeting(t: TestContext) {
  const registry = await startRegistry(t)
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'one'" })
  registry.publish('greeting', '2.0.0', { 'index.js': "export const text = 'two'" })
  return { registry, npmrc: `registry=${registry.url}/\n` }
}

test('a package in package.json is installed, locked, committed and used', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const { engine, write, run, path, dir } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1'), '.npmrc': npmrc, '.gitignore': 'node_modules/\n' },
  })
  assert.equal(engine.packages().status, 'none')
  assert.deepEqual(registry.asked, [])

  write('manifest.ts', greets)
  await until(() => engine.manifest().status === 'error', 'the missing package is noticed')
  assert.match(
    engine.manifest().errors[0]?.message ?? '',
    /cannot find the package "greeting"; add it to "dep/,
  )
  assert.equal((await run('job')).result, 1, 'the last good set keeps running')

  write('package.json', asks({ greeting: '^1.0.0' }))
  await until(() => engine.manifest().status === 'ok', 'the set is live')
  assert.equal((await run('job')).result, 'one')
  const { status, command, output } = engine.packages()
  assert.deepEqual([status, command], ['installed', 'npm install --omit=dev'])
  assert.match(output, /http fetch GET 200 .*greeting/)
  assert.match(readFileSync(path('package-lock.json'), 'utf8'), /"version": "1.0.0"/)
  await until(async () => !(await engine.repo()).dirty, 'the lockfile is committed')
  assert.ok(existsSync(path('node_modules/longhouse/jobs.js')), 'longhouse/jobs is back for editors')
  assert.equal(readdirSync(join(dir, 'packages')).length, 1, 'nothing is left beside')

  const before = registry.asked.length
  write('jobs/other.ts', 'export {}')
  await engine.reload()
  assert.equal(registry.asked.length, before, 'what is there is not installed again')

  write('package.json', asks({ greeting: '^2.0.0' }))
  await until(async () => (await run('job')).result === 'two', 'the other version is live')
  assert.match(readFileSync(path('package-lock.json'), 'utf8'), /"version": "2.0.0"/)
})

test('a matching lockfile is installed exactly, without development packages', async t => {
  const { registry, npmrc } = await withGreeting(t)
  registry.publish('only-for-tests', '1.0.0', { 'index.js': '' })
  const first = await startInstance(t, {
    files: {
      'manifest.ts': greets,
      '.npmrc': npmrc,
      'package.json': asks({ greeting: '^1.0.0' }, { devDependencies: { 'only-for-tests': '1.0.0' } }),
    },
  })
  await until(() => first.engine.manifest().status === 'ok', 'it is live')
  registry.publish('greeting', '1.5.0', { 'index.js': "export const text = 'newer'" })
  const files = ['manifest.ts', '.npmrc', 'package.json', 'package-lock.json']
  const second = await startInstance(t, {
    files: Object.fromEntries(files.map(name => [name, readFileSync(first.path(name), 'utf8')])),
  })
  await until(() => second.engine.manifest().status === 'ok', 'it is live there too')
  assert.equal(second.engine.packages().command, 'npm ci --omit=dev')
  assert.equal((await second.run('job')).result, 'one')
  assert.deepEqual(
    readdirSync(second.path('node_modules')).filter(name => !name.startsWith('.')),
    ['greeting', 'longhouse'],
  )
  await second.restart()
  assert.equal(second.engine.packages().command, null, 'a restart installs nothing')
  second.write('manifest.ts', `import 'only-for-tests'\n${greets}`)
  const { errors } = await second.engine.reload()
  assert.match(
    errors[0]?.message ?? '',
    /names it in "devDependencies", which are not installed here; move it/,
  )
})

test('an unavailable registry and an unknown package are reported; the previous set and its packages stay', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const { engine, write, run, path } = await startInstance(t, {
    files: { 'manifest.ts': greets, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }) },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  const failure = async (wanted: Record<string, string>) => {
    write('package.json', asks(wanted))
    await until(() => engine.packages().status === 'failed', 'it fails')
    await until(() => engine.manifest().waitingFor === null, 'the load has ended')
    const { status, errors } = engine.manifest()
    assert.deepEqual(
      [status, errors[0]?.file, errors[0]?.message],
      ['error', 'package.json', engine.packages().error],
    )
    assert.equal((await run('job')).result, 'one')
    write('package.json', asks({ greeting: '1.0.0' }))
    await until(() => engine.manifest().status === 'ok', 'back to what is there')
    return errors[0]?.message ?? ''
  }
  assert.equal(engine.packages().nextTryAt, null)
  assert.match(await failure({ greeting: '1.0.0', nowhere: '1' }), /^nowhere is not in the registry/)
  assert.match(await failure({ greeting: '9.9.9' }), /^there is no version greeting@9\.9\.9/)

  await registry.close()
  write('package.json', asks({ greeting: '2.0.0' }))
  await until(() => engine.packages().status === 'failed', 'it fails')
  assert.match(
    engine.packages().error ?? '',
    /^http:\/\/127.0.0.1:\d+ does not answer \(ECONNREFUSED\): this instance is offline/,
  )
  await until(
    () => engine.manifest().waitingFor === 'registry',
    'it waits for the registry, and blames no file',
  )
  assert.equal(engine.packages().offline, true)
  assert.match(readFileSync(path('node_modules/greeting/index.js'), 'utf8'), /one/)
  const { startedAt } = engine.packages()
  await engine.reload()
  assert.equal(engine.packages().startedAt, startedAt, 'it is not tried at every look')
  await registry.open()
  assert.equal((await engine.installPackages()).status, 'installed')
  await until(async () => (await run('job')).result === 'two', 'the new version is live')
})

const minute = 60_000

test('a failing registry is retried with growing delays on the monotonic clock, and the live set stays', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const clock = setClock()
  const { engine, write, run } = await startInstance(t, {
    files: { 'manifest.ts': greets, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }) },
    clock,
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  registry.fails(503)
  write('package.json', asks({ greeting: '2.0.0' }))
  await until(() => engine.manifest().waitingFor === 'registry', 'it waits for the registry')
  assert.match(engine.packages().error ?? '', /fails \(503\)\. The installation is retried automatically/)

  const { startedAt } = engine.packages()
  clock.step(120 * minute)
  await engine.retryPackages()
  assert.equal(engine.packages().startedAt, startedAt, 'the wall clock moves nothing')
  clock.advance(minute)
  await engine.retryPackages()
  await until(() => engine.manifest().waitingFor === 'registry', 'it was tried, and failed')
  assert.notEqual(engine.packages().startedAt, startedAt)
  const next = engine.manifest().nextTryAt ?? 0
  assert.ok(next > clock.now() + minute && next <= clock.now() + 2 * minute, 'twice as long')
  assert.equal((await run('job')).result, 'one', 'the set from before runs')

  registry.fails(null)
  clock.advance(2 * minute)
  await engine.retryPackages()
  await until(async () => (await run('job')).result === 'two', 'the new version is live')
  assert.deepEqual([engine.packages().nextTryAt, engine.manifest().nextTryAt], [null, null])
})

test('a failure the customer has to fix is not retried', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const clock = setClock()
  const { engine } = await startInstance(t, {
    files: { 'manifest.ts': greets, '.npmrc': npmrc, 'package.json': asks({ greeting: '9.9.9' }) },
    clock,
  })
  await until(() => engine.packages().status === 'failed', 'it fails')
  await until(() => engine.manifest().waitingFor === null, 'the load has ended')
  const asked = registry.asked.length
  clock.advance(24 * 60 * minute)
  await engine.retryPackages()
  assert.equal(registry.asked.length, asked)
  assert.equal(engine.packages().nextTryAt, null)
})

test('a hanging installation blocks neither the readiness of a new instance nor a correction', async t => {
  const { registry, npmrc } = await withGreeting(t)
  registry.answers(false)
  const starting = startInstance(t, {
    files: { 'manifest.ts': greets, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }) },
  })
  const { engine, write } = await starting
  assert.equal(engine.ready(), true)
  assert.deepEqual([engine.packages().status, engine.manifest().waitingFor], ['installing', 'packages'])
  await until(() => registry.asked.length > 0, 'npm has asked')
  write('manifest.ts', oneJob('() => 3'))
  write('package.json', asks({}))
  await until(() => engine.job('job'), 'the correction is live')
})

test('an installation has a time limit', async t => {
  const { registry, npmrc } = await withGreeting(t)
  registry.answers(false)
  const { engine } = await startInstance(t, {
    files: { 'manifest.ts': greets, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }) },
    install: { limitMs: 1500 },
  })
  await until(() => engine.packages().status === 'failed', 'it is given up')
  assert.match(engine.packages().error ?? '', /npm took longer than 2 seconds/)
  assert.ok(engine.packages().nextTryAt, 'the registry did not answer in time: it is asked again')
})

test('install scripts run only for packages that package.json allows', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const script = {
    scripts: { install: "node -e \"require('fs').writeFileSync('index.js', 'export const text = 5')\"" },
  }
  registry.publish('built', '1.0.0', { 'index.js': 'export const text = 0' }, script)
  const manifest = `import { text } from 'built'\n${oneJob('() => text')}`
  const { engine, run, write } = await startInstance(t, {
    files: {
      'manifest.ts': manifest,
      '.npmrc': npmrc,
      'package.json': asks({ built: '1.0.0' }, { scripts: { postinstall: 'exit 1' } }),
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.equal((await run('job')).result, 0)
  write('package.json', asks({ built: '1.0.0' }, { allowScripts: { built: true } }))
  await engine.installPackages()
  assert.equal((await run('job')).result, 5)
})

test('packages in the repo are linked, and an invalid package.json is refused with a reason', async t => {
  const { engine, run, write, path } = await startInstance(t, {
    files: {
      'manifest.ts': `import { text } from 'own'\n${oneJob('() => text')}`,
      'own/package.json': JSON.stringify({ name: 'own', version: '1.0.0', exports: './index.js' }),
      'own/index.js': "export const text = 'mine'",
      'package.json': asks({ own: 'file:./own' }),
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.equal((await run('job')).result, 'mine')
  writeFileSync(path('package.json'), '{ "dependencies": ')
  const { errors } = await engine.reload()
  assert.deepEqual(errors[0]?.file, 'package.json')
  assert.match(errors[0]?.message ?? '', /^is not valid JSON/)
  write('package.json', '{ "dependencies": { "own": 1 } }')
  assert.match((await engine.reload()).errors[0]?.message ?? '', /^"dependencies" must name packages/)
})

test('a pipe in place of a file that npm reads blocks nothing, and is reported', async t => {
  const { npmrc } = await withGreeting(t)
  const { engine, write, path, run } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1'), '.npmrc': npmrc, '.gitignore': 'node_modules/\n' },
  })
  const pipe = (file: string) => {
    rmSync(path(file), { force: true })
    execFileSync('mkfifo', [path(file)])
  }
  pipe('package.json')
  await engine.reload()
  assert.deepEqual(
    engine.manifest().errors.map(({ file, message }) => [file, message]),
    [['package.json', 'must be a regular file of at most 64 MiB, and no link']],
  )
  assert.equal((await run('job')).result, 1, 'the last good set keeps running')

  rmSync(path('package.json'))
  pipe('package-lock.json')
  pipe('npm-shrinkwrap.json')
  write('manifest.ts', greets)
  write('package.json', asks({ greeting: '^1.0.0' }))
  for (const file of ['npm-shrinkwrap.json', 'package-lock.json']) {
    await engine.reload()
    assert.deepEqual(
      engine.manifest().errors.map(({ file, message }) => [file, message]),
      [[file, 'must be a regular file of at most 64 MiB, and no link']],
    )
    rmSync(path(file))
  }
  await engine.reload()
  assert.equal((await run('job')).result, 'one')
  assert.match(readFileSync(path('package-lock.json'), 'utf8'), /"version": "1.0.0"/)
})

test('a lockfile that was made on another system serves here, also when it names only the packages of that system', async t => {
  const { registry, npmrc } = await withGreeting(t)
  for (const os of ['linux', 'darwin']) {
    registry.publish(`native-${os}`, '1.0.0', { 'index.js': `export const os = '${os}'` }, { os: [os] })
  }
  const optionalDependencies = { 'native-linux': '1.0.0', 'native-darwin': '1.0.0' }
  registry.publish('native', '1.0.0', { 'index.js': '' }, { optionalDependencies })
  const files = {
    'manifest.ts': `import 'native'\n${oneJob('async () => (await import("native-linux")).os')}`,
    '.npmrc': npmrc,
    'package.json': asks({ native: '1.0.0' }),
  }
  const first = await startInstance(t, { files })
  await until(() => first.engine.manifest().status === 'ok', 'it is live')
  const lock = JSON.parse(readFileSync(first.path('package-lock.json'), 'utf8'))
  assert.ok(lock.packages['node_modules/native-darwin'], 'the lockfile is for every system')

  delete lock.packages['node_modules/native-linux']
  const second = await startInstance(t, { files: { ...files, 'package-lock.json': JSON.stringify(lock) } })
  await until(() => second.engine.packages().status !== 'installing', 'npm is done')
  assert.equal(second.engine.packages().error, null)
  await until(() => second.engine.manifest().status === 'ok', 'it is live there too')
  assert.equal((await second.run('job')).result, 'linux')
  assert.match(second.engine.packages().output, /package-lock\.json lacks .*native-linux/)
  assert.deepEqual(
    readdirSync(second.path('node_modules'))
      .sort()
      .filter(each => !each.startsWith('.')),
    ['longhouse', 'native', 'native-linux'],
  )
  assert.match(readFileSync(second.path('package-lock.json'), 'utf8'), /native-linux-1|native-linux\/-\//)
})
