import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob, standingClock, until } from '../../engine.fixture.ts'
import { startRegistry } from '../../packages/registry.fixture.ts'
import { manyJobs, startSynced } from '../../sync/sync.fixture.ts'
import { startWatched, type Watched, watchOver } from '../notices.fixture.ts'

const minute = 60_000

const told = ({ hook }: Watched) =>
  hook.calls.map(({ body }) => {
    const { type, job_id } = JSON.parse(body) as { type: string; job_id: string | null }
    assert.equal(job_id, null)
    return type
  })
const text = ({ hook }: Watched) => (JSON.parse(hook.calls.at(-1)?.body ?? '{}') as { text: string }).text

test('a refused edit is reported after a minute, and so is the recovery', async t => {
  const good = oneJob('async () => {}')
  const watched = await startWatched(t, { files: { 'manifest.ts': good } })
  const { instance, clock, round } = watched
  const { engine } = instance
  const save = async (content: string) => {
    instance.write('manifest.ts', content)
    await engine.reload()
    await round()
  }
  await save(`${good}\nnonsense(`)
  await save(good)
  clock.at += minute
  await round()
  assert.deepEqual(told(watched), [], 'corrected within a minute')
  await save(`${good}\nnonsense(`)
  clock.at += minute
  await round()
  assert.deepEqual(told(watched), ['manifest.refused'])
  assert.match(
    text(watched),
    /^manifest\.ts:\d+:\d+: [\s\S]*The jobs that were live keep running\.\n\nhttps:/,
  )
  await save(good)
  assert.deepEqual(told(watched), ['manifest.refused', 'manifest.recovered'])

  // A set without any job waits for a confirmation.
  await save("import 'longhouse/jobs'\n")
  assert.equal(engine.manifest().waitingFor, 'confirmation')
  assert.deepEqual(told(watched).slice(2), ['change.held'])
  await engine.confirm()
  await round()
  assert.deepEqual(told(watched).slice(3), ['change.recovered'])
})

test('packages that cannot be installed are reported once, and so is the recovery', async t => {
  const registry = await startRegistry(t)
  const good = oneJob('async () => {}')
  const files = {
    'manifest.ts': good,
    '.npmrc': `registry=${registry.url}/\n`,
    '.gitignore': 'node_modules/\n',
  }
  const watched = await startWatched(t, { files })
  const { instance, clock, round } = watched
  const { engine } = instance
  instance.write('package.json', JSON.stringify({ dependencies: { nowhere: '1.0.0' } }))
  await until(async () => {
    await round()
    return engine.packages().status === 'failed' && engine.manifest().waitingFor === null
  }, 'it fails')
  await round()
  clock.at += 2 * minute
  await round()
  assert.deepEqual(told(watched), ['packages.failed'])
  assert.match(text(watched), /nowhere is not in the registry[\s\S]*keep running/)
  registry.publish('nowhere', '1.0.0', { 'index.js': '' })
  await engine.installPackages()
  await round()
  assert.deepEqual(told(watched), ['packages.failed', 'packages.recovered'])
})

test('a refusing remote, a held change and a conflict are each reported with their end', async t => {
  const instance = await startSynced(t)
  const { server, engine } = instance
  const clock = standingClock(Date.UTC(2026, 10, 22, 12))
  const watched = await watchOver(t, instance, { clock })
  const { round } = watched
  // What the start left to do is done: from here on, only this test syncs.
  await engine.sync.sync()
  const { token } = server
  server.token = 'another'
  for (let failures = 1; failures <= 3; failures++) {
    assert.deepEqual(told(watched), [], 'one failure may be a moment of the network')
    await engine.sync.sync()
    await round()
  }
  assert.deepEqual(told(watched), ['sync.failed'])
  assert.match(text(watched), /refused the token \(401\)/)
  assert.ok(!text(watched).includes(token))
  server.token = token
  await engine.sync.sync()
  await round()
  assert.deepEqual(told(watched).slice(1), ['sync.recovered'])

  const theirs = server.edit({ 'manifest.ts': manyJobs(1) })
  await engine.sync.sync()
  await round()
  assert.deepEqual(told(watched).slice(2), ['change.held'])
  assert.match(text(watched), /would remove 3 of 4 jobs \(job-2, job-3, job-4\)/)
  await engine.sync.sync({ confirm: theirs })
  await round()
  assert.deepEqual(told(watched).slice(3), ['change.recovered'])

  instance.write('notes.txt', 'ours\n')
  await engine.reload()
  const other = server.edit({ 'notes.txt': 'theirs\n' })
  await engine.sync.sync()
  await round()
  assert.deepEqual(told(watched).slice(4), ['conflict.opened'])
  assert.match(text(watched), /Both sides changed the same lines: notes\.txt\.[\s\S]*\/repo\/remote$/)
  await engine.sync.resolve({ side: 'theirs', theirs: other })
  await round()
  assert.deepEqual(told(watched).slice(5), ['conflict.recovered'])

  // After the remote is disconnected there is no recovery to report.
  server.ill = 'down'
  clock.at += 120 * minute
  for (let failures = 1; failures <= 3; failures++) await engine.sync.sync()
  await round()
  await engine.sync.disconnect()
  await round()
  assert.deepEqual(told(watched).slice(6), ['sync.failed'])
})

test('a failing scheduler is reported', async t => {
  const watched = await startWatched(t, { files: { 'manifest.ts': oneJob('async () => {}') } })
  const { notices, instance } = watched
  const { engine } = instance
  const checks = new Map(engine.checks)
  checks.set('scheduler', () => {
    throw new Error('the schedule has not been looked at for 90 seconds')
  })
  await notices.watch({ ...engine, checks })
  await notices.outbox.flush()
  assert.deepEqual(told(watched), ['scheduler.failing'])
  assert.match(text(watched), /has not been looked at for 90 seconds/)
  await watched.round()
  assert.deepEqual(told(watched), ['scheduler.failing', 'scheduler.recovered'])
})
