import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { programRoot } from '../../src/root.ts'
import { until } from '../engine.fixture.ts'
import { cookieOf, password, postJson } from '../web/web.fixture.ts'
import { asks, files, five, live } from './installations.fixture.ts'

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
