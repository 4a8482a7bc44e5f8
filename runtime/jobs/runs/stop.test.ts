import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { registry, standingClock, startInstance, until } from '../../engine.fixture.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

const waits = `async ({ log, signal }) => {
  log('goes')
  const { existsSync } = await import('node:fs')
  while (!existsSync('data/go') && !signal.aborted) await new Promise(done => setTimeout(done, 10))
  return signal.aborted ? 'aborted' : 'done'
}`
const job = (id: string, options = '', func = waits) =>
  `jobRegistry.register({ id: '${id}', cron: '@hourly', func: ${func}, ${options} })\n`
const files = (...jobs: string[]) => ({
  'manifest.ts': registry + jobs.join(''),
  'data/.keep': '',
  '.gitignore': 'data/\n',
})

test('a stop waits for the runs in progress, and starts no others', async t => {
  const { engine, path, ended } = await startInstance(t, {
    files: files(job('one'), job('two', '', '() => 2')),
  })
  const { id } = engine.run('one', { trigger: 'manual' })
  await until(() => engine.log(id), 'it goes')
  const stopped = engine.drain({ waitMs: 60_000 })
  assert.equal(engine.stopping(), true)
  assert.throws(() => engine.run('two', { trigger: 'manual' }), { code: 'stopping', status: 503 })
  assert.equal(engine.getRun(id)?.status, 'running')
  writeFileSync(path('data/go'), '')
  await stopped
  const run = await ended(id)
  assert.deepEqual([run.status, run.result], ['succeeded', 'done'])
})

test('a run that outlasts the stop is interrupted, and its policy decides what follows', async t => {
  const clock = standingClock(Date.parse('2026-03-10T08:30:00Z'))
  const instance = await startInstance(t, {
    clock,
    files: files(job('again', "onInterrupt: 'rerun'"), job('once')),
  })
  clock.at = Date.parse('2026-03-10T09:00:00Z')
  instance.engine.tick(clock.at)
  const runs = (id: string) => instance.engine.runs({ jobId: id, limit: 9, offset: 0 }).runs
  for (const id of ['again', 'once']) {
    await until(() => instance.engine.log(runs(id)[0]?.id ?? ''), `${id} goes`)
  }
  await instance.engine.drain({ waitMs: 20, tidyMs: 2000 })
  for (const id of ['again', 'once']) assert.equal(runs(id).at(-1)?.status, 'interrupted')
  writeFileSync(instance.path('data/go'), '')
  await instance.restart()
  instance.engine.tick(clock.at)
  assert.equal(runs('once').length, 1)
  const second = await instance.ended(runs('again')[0]?.id ?? '')
  assert.deepEqual([second.status, second.attempt, runs('again').length], ['succeeded', 2, 2])
  const outcome = (id: string) => instance.engine.slots(id, { limit: 1 }).slots[0]?.outcome
  assert.deepEqual([outcome('again'), outcome('once')], ['late', 'interrupted'])
})

test('a queued run starts after the restart, unless it is too late for it', async t => {
  const clock = standingClock(Date.parse('2026-03-10T08:30:00Z'))
  const instance = await startInstance(t, {
    clock,
    runs: { concurrent: 1 },
    files: files(
      job('first'),
      job('soon', "catchUpWindow: '2h'", "() => 'soon'"),
      job('strict', "catchUp: 'none'", "() => 'strict'"),
    ),
  })
  clock.at = Date.parse('2026-03-10T09:00:00Z')
  instance.engine.tick(clock.at)
  const last = (id: string) => instance.engine.runs({ jobId: id, limit: 1, offset: 0 }).runs[0]
  assert.deepEqual([last('soon')?.status, last('strict')?.status], ['queued', 'queued'])
  await instance.engine.drain({ waitMs: 0 })
  assert.deepEqual([last('soon')?.status, last('strict')?.status], ['queued', 'queued'])
  clock.at += 60_000
  await instance.restart()
  assert.equal(last('strict')?.status, 'interrupted')
  assert.match(last('strict')?.error?.message ?? '', /by now it is too late to start it/)
  assert.equal(instance.engine.slots('strict', { limit: 1 }).slots[0]?.outcome, 'interrupted')
  const soon = await instance.ended(last('soon')?.id ?? '')
  assert.deepEqual([soon.status, soon.result, soon.slot], ['succeeded', 'soon', clock.at - 60_000])
  assert.equal(existsSync(instance.path('data/go')), false)
})

test('health, pages and the API say that the instance is stopping', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: files(job('one')) })
  const Cookie = await signIn()
  const page = async () => (await app.request('/', { headers: { ...browser, Cookie } })).text()
  assert.doesNotMatch(await page(), /is stopping/)
  const { id } = instance.engine.run('one', { trigger: 'manual' })
  const drained = instance.engine.drain({ waitMs: 60_000 })
  const health = await app.request('/api/health')
  assert.equal(health.status, 503)
  assert.equal(((await health.json()) as { status: string }).status, 'stopping')
  assert.match(await page(), /This instance is stopping/)
  const refused = await app.request('/api/jobs/one/run', { method: 'POST', headers: { Cookie } })
  assert.equal(refused.status, 503)
  assert.match(await refused.text(), /stopping/)
  assert.equal((await app.request(`/api/runs/${id}/log`, { headers: { Cookie } })).status, 200)
  writeFileSync(instance.path('data/go'), '')
  await drained
})
