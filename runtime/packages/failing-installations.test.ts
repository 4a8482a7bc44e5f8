import assert from 'node:assert/strict'
import { execFileSync, fork, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { programRoot } from '../../src/root.ts'
import { setClock } from '../../src/testing/clock.ts'
import { until } from '../engine.fixture.ts'
import { asks, five, live } from './installations.fixture.ts'

const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

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
