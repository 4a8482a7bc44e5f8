import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandOf, isAlive, registry, startInstance, until } from '../engine.fixture.ts'
import { volumeProcesses } from '../process/process-tree.ts'

/** A job that says which process read it. */
const manifest = (save: number) =>
  `${registry}jobRegistry.register({ id: 'job-${save}', cron: '@daily', description: String(process.pid), func: () => 1 })\n`

test('a spare reader starts after a save, reads once, is replaced when killed, and ends with the runtime', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': manifest(0) } })
  const { engine, dir } = instance
  const readers = () => volumeProcesses(dir).filter(pid => commandOf(pid).includes('manifest-reader'))
  const save = async (number: number) => {
    instance.write('manifest.ts', manifest(number))
    const job = await until(() => engine.job(`job-${number}`), 'the save is live')
    return Number(job.description)
  }
  assert.deepEqual(readers(), [], 'nobody is at work yet')
  const first = await save(1)
  const waiting = await until(() => readers().find(pid => pid !== first), 'one is made ready')
  assert.equal(await save(2), waiting)
  assert.ok(!isAlive(waiting), 'it reads once')

  const spare = await until(() => readers()[0], 'the next is made ready')
  process.kill(spare, 'SIGKILL')
  await until(() => !readers().includes(spare), 'somebody ended it')
  assert.notEqual(await save(3), spare)

  const last = await until(() => readers()[0], 'the last is made ready')
  await instance.restart()
  assert.ok(!isAlive(last))
  assert.deepEqual(
    readdirSync(join(dir, 'builds')).filter(name => name.startsWith('.')),
    [],
  )
})

test('a save whose spare reader is killed while it reads is read by another one', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': manifest(0) } })
  const { engine, dir } = instance
  const readers = () => volumeProcesses(dir).filter(pid => commandOf(pid).includes('manifest-reader'))
  instance.write('manifest.ts', manifest(1))
  await until(() => engine.job('job-1'), 'the save is live')
  const spare = await until(() => readers()[0], 'the next is made ready')
  process.kill(spare, 'SIGSTOP')
  const objects = () => readdirSync(join(dir, 'jobs/.git/objects'), { recursive: true }).length
  const before = objects()
  instance.write('manifest.ts', manifest(2))
  await until(() => objects() > before, 'the files are staged while it reads')
  process.kill(spare, 'SIGKILL')
  await until(() => engine.job('job-2'), 'the save is live')
})

test('a save of package.json that makes its files CommonJS is read, and runs, as in a clone', async t => {
  const files = { 'package.json': '{ "type": "module" }', 'manifest.ts': manifest(0) }
  const instance = await startInstance(t, { files })
  const { engine, dir, run, write } = instance
  const readers = () => volumeProcesses(dir).filter(pid => commandOf(pid).includes('manifest-reader'))
  write('manifest.ts', manifest(1))
  const { description: first } = await until(() => engine.job('job-1'), 'the save is live')
  const spare = await until(() => readers().find(pid => String(pid) !== first), 'one is made ready')
  await until(() => childrenOf(spare), 'it has started its compiler')
  write('package.json', '{}')
  write('settings.ts', 'export default class Settings {}')
  write(
    'job.ts',
    "import Settings from './settings'\nexport default () => require('./settings').default === Settings",
  )
  write(
    'manifest.ts',
    `${registry}import job from './job'\nimport Settings from './settings'
if (typeof job !== 'function') throw new Error('it is not loaded')
jobRegistry.register({ id: 'job-2', cron: '@daily', description: typeof new Settings(), func: job })\n`,
  )
  await until(() => engine.job('job-2') ?? engine.manifest().errors[0], 'it is read')
  assert.deepEqual(engine.manifest().errors, [])
  assert.equal((await run('job-2')).result, true)
})

/** The processes that a process has started. */
const childrenOf = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
