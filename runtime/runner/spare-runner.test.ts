import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf, registry, standingClock, startInstance, until } from '../engine.fixture.ts'
import { volumeProcesses } from '../process/process-tree.ts'

const manifest = `${registry}let seen = 0
const run = () => ({ seen: ++seen, mark: globalThis.process.env.LONGHOUSE_RUN_ID, pid: process.pid, left: (globalThis as { left?: number }).left })
jobRegistry.register({ id: 'job', cron: '0 9 * * *', func: () => { const found = run(); Object.assign(globalThis, { left: 1 }); return found } })
`
type Found = { seen: number; mark: string; pid: number; left?: number }

test('a runner makes one run, and leaves nothing for the next', async t => {
  const { run } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  const pids = new Set<number>()
  for (let i = 0; i < 4; i++) {
    const ended = await run('job')
    const found = ended.result as Found
    assert.deepEqual([found.seen, found.mark, found.left], [1, ended.id, undefined])
    pids.add(found.pid)
  }
  assert.equal(pids.size, 4)
})

test('a spare runner is ready before a slot is due, is replaced when killed, and ends with the instance', async t => {
  const clock = standingClock(Date.parse('2026-03-10T08:00:00Z'))
  const instance = await startInstance(t, { clock, files: { 'manifest.ts': manifest } })
  const { engine, dir, ended } = instance
  // Beside them git runs now and then.
  const runners = () => volumeProcesses(dir).filter(pid => commandOf(pid).includes('runner'))
  await until(() => runners().length === 0, 'nothing runs')
  const before = new Set(runners())
  engine.tick(Date.parse('2026-03-10T08:59:50Z'))
  assert.deepEqual(
    runners().filter(pid => !before.has(pid)),
    [],
  )
  clock.at = Date.parse('2026-03-10T08:59:59Z')
  engine.tick(clock.at)
  const spare = await until(() => runners().find(pid => !before.has(pid)), 'one is made ready')
  process.kill(spare, 'SIGKILL')
  await until(() => !runners().includes(spare), 'it was killed')
  const second = await until(() => {
    engine.tick(clock.at)
    return runners().find(pid => !before.has(pid))
  }, 'another one is')
  clock.at = Date.parse('2026-03-10T09:00:00Z')
  engine.tick(clock.at)
  const [due] = engine.runs({ jobId: 'job', limit: 1, offset: 0 }).runs
  assert.equal(((await ended(due?.id ?? '')).result as Found).pid, second)
  await instance.restart()
  assert.ok(!runners().includes(second))
})

test('a run that finds no spare runner begins its own, and one that is refused begins none', async t => {
  const strict = `jobRegistry.register({ id: 'strict', cron: '0 9 * * *', params: { many: { type: 'number', default: 1 } }, func: run })`
  const files = { 'manifest.ts': manifest + strict }
  const { engine, dir, ended } = await startInstance(t, { files })
  const runners = () => volumeProcesses(dir).filter(pid => commandOf(pid).includes('runner'))
  await until(() => runners().length === 0, 'nothing runs')
  assert.throws(() => engine.run('strict', { trigger: 'manual', params: { many: 'no number' } }), /param/)
  assert.throws(() => engine.run('other', { trigger: 'manual' }), /other/)
  assert.deepEqual(runners(), [])
  const { id } = engine.run('job', { trigger: 'manual' })
  const begun = runners()
  assert.deepEqual([((await ended(id)).result as Found).pid], begun)
})
