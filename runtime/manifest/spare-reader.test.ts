import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
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
