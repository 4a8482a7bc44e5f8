import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { oneJob, registry, standingClock, startInstance, until } from '../engine.fixture.ts'
import { StateError } from '../runner/job-state.ts'
import { browser, postForm, startWeb } from '../web/web.fixture.ts'
import * as schema from './schema.ts'
import { openState } from './state.ts'

const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func} })\n`

test('a job’s state is there for its next run, for no other job, and after a restart', async t => {
  const instance = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}
${job(
  'counts',
  `async ({ state }) => {
  const seen = (await state.get('seen')) ?? 0
  await state.set('seen', seen + 1)
  return [seen, await state.entries(), await state.get('nothing') === undefined]
}`,
)}
${job('other', '({ state }) => state.entries()')}
${job(
  'deletes',
  `async ({ state }) => {
  await state.set('a', { deep: [1, 'ü', null] })
  await state.set('b', 2)
  return [await state.delete('a'), await state.delete('a'), await state.entries()]
}`,
)}
${job('many', "async ({ state }) => { await Promise.all(Array.from({ length: 300 }, (_, i) => state.set('k' + i, i))); return (await state.entries()).length }")}`,
    },
  })
  assert.deepEqual((await instance.run('counts')).result, [0, [['seen', 1]], true])
  assert.deepEqual((await instance.run('counts')).result, [1, [['seen', 2]], true])
  assert.deepEqual((await instance.run('other')).result, [])
  assert.deepEqual((await instance.run('deletes')).result, [true, false, [['b', 2]]])
  assert.equal((await instance.run('many')).result, 300)
  await instance.restart()
  assert.deepEqual((await instance.run('counts')).result, [2, [['seen', 3]], true])
})

test('an awaited change survives the kill of its job', async t => {
  const func = `async ({ state, log }) => {
    await state.set('step', 7)
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => setInterval(() => {}, 1000))
  }`
  const { engine, run } = await startInstance(t, { files: { 'manifest.ts': oneJob(func) } })
  assert.equal((await run('job')).status, 'failed')
  assert.deepEqual(
    engine.state.list('job').map(({ key, json }) => [key, json]),
    [['step', '7']],
  )
})

test('a value that is too large or not JSON throws with a reason and changes nothing', async t => {
  const refusals = `async ({ state }) => {
    const words = async work => { try { await work(); return 'taken' } catch (error) { return error.message } }
    return [
      await words(() => state.set('', 1)),
      await words(() => state.set('x'.repeat(201), 1)),
      await words(() => state.set('f', () => 1)),
      await words(() => state.set('big', 'x'.repeat(70_000))),
      await words(() => { let all = 1; for (let i = 0; i < 101; i++) all = [all]; return state.set('deep', all) }),
      await words(() => state.get(7)),
      await words(async () => { for (let i = 0; i < 20; i++) await state.set('k' + i, 'x'.repeat(60_000)) }),
      (await state.entries()).length,
    ]
  }`
  const { run } = await startInstance(t, { files: { 'manifest.ts': oneJob(refusals) } })
  assert.deepEqual((await run('job')).result, [
    'the key of a state must be a text that is not empty',
    'the key of a state must be at most 200 characters',
    'the state "f" is a function, which cannot be written as JSON',
    'the state "big" has 70002 bytes as JSON, more than 65536; keep large values in a file',
    'the state "deep" is nested more than 100 deep',
    'the key of a state must be a text that is not empty',
    'with "k17" the job would keep 1080080 bytes, more than 1048576; delete some, or use a file',
    17,
  ])
})

test('unknown calls, and endless calls without reading, harm only the job itself', async t => {
  const strange = `async () => {
    for (const call of ['7', '"x"', '{"state":"drop"}', '{"state":"set","key":"a","json":"{"}', '{"state":"set","key":"a"}'])
      writeSync(3, '{"call":' + call + '}\\n')
    return 'done'
  }`
  const flood = `() => { for (;;) try { writeSync(3, '{"call":{"state":"set","key":"a","json":"' + '1'.repeat(1000) + '"}}\\n') } catch {} }`
  const { engine, run } = await startInstance(t, {
    files: {
      'manifest.ts': `import { writeSync } from 'node:fs'\n${registry}${job('strange', strange)}
jobRegistry.register({ id: 'flood', cron: '@daily', func: ${flood} })
${job('fine', "async ({ state }) => { await state.set('a', 1); return state.get('a') }")}`,
    },
  })
  assert.equal((await run('strange')).result, 'done')
  assert.deepEqual(engine.state.list('strange'), [])
  const flooding = engine.run('flood', { trigger: 'manual' })
  await until(() => engine.state.list('flood').length > 0, 'the flood has begun')
  assert.equal((await run('fine')).result, 1)
  assert.equal((await engine.cancel(flooding.id))?.status, 'cancelled')
})

test('changes are committed in groups, each refused on its own; old state of removed jobs is deleted', async () => {
  const clock = standingClock(Date.UTC(2026, 0, 1))
  const sqlite = openSqlite(':memory:')
  const state = openState({
    db: openTables(sqlite, 'state', { schema, migrations: 'runtime/state/migrations' }),
    clock,
  })
  const one = state.of('one')
  const wide = Array.from({ length: 20 }, (_, i) => one.set(`k${i}`, JSON.stringify('x'.repeat(60_000))))
  const settled = await Promise.allSettled(wide)
  assert.equal(settled.filter(each => each.status === 'fulfilled').length, 17)
  assert.ok(settled.every(each => each.status === 'fulfilled' || each.reason instanceof StateError))
  assert.equal(state.list('one').length, 17)
  assert.equal(state.clear('one', 'k3'), 1)
  assert.equal(state.clear('one', 'k3'), 0)

  await state.of('gone').set('old', '1')
  clock.at += 60 * 86_400_000
  await state.of('gone').set('newer', '1')
  clock.at += 60 * 86_400_000
  state.prune(new Set(['one']))
  assert.equal(state.list('gone').length, 2, 'one of them is not that old')
  clock.at += 31 * 86_400_000
  state.prune(new Set(['one']))
  assert.deepEqual([state.list('gone').length, state.list('one').length], [0, 16])

  const late = one.set('late', '1')
  state.close()
  await late
  assert.equal(await one.get('late'), '1')
  sqlite.close()
})

test('the page shows and deletes keys, the API returns and deletes them, and strangers are refused', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': oneJob(
        "async ({ state }) => { await state.set('cursor', { at: 7 }); await state.set('b', 1) }",
      ),
    },
  })
  const Cookie = await signIn()
  const page = async () => (await app.request('/jobs/job', { headers: { ...browser, Cookie } })).text()
  const api = (method: string, path = '', headers: Record<string, string> = { Cookie }) =>
    app.request(`/api/jobs/job/state${path}`, { method, headers })
  assert.ok(!(await page()).includes('/jobs/job/state/clear'))
  await instance.run('job')
  assert.match(await page(), /cursor/)
  assert.match(await page(), /2 keys, 16 bytes/)

  const { entries, bytes } = (await (await api('GET')).json()) as {
    entries: Record<string, unknown>[]
    bytes: number
  }
  assert.deepEqual(
    entries.map(({ key, value, bytes }) => ({ key, value, bytes })),
    [
      { key: 'b', value: 1, bytes: 2 },
      { key: 'cursor', value: { at: 7 }, bytes: 14 },
    ],
  )
  assert.equal(bytes, 16)
  assert.equal((await api('GET', '', {})).status, 401)
  assert.equal((await api('DELETE', '', {})).status, 401)
  assert.equal((await api('DELETE', '?key=nothing')).status, 404)
  assert.equal((await api('DELETE', '?key=b')).status, 204)
  assert.equal(instance.engine.state.list('job').length, 1)
  await postForm(app, '/jobs/job/state/clear', {})
  assert.equal(instance.engine.state.list('job').length, 1, 'a stranger is sent to the sign-in page')
  assert.equal((await postForm(app, '/jobs/job/state/clear', {}, { Cookie })).status, 303)
  assert.deepEqual(instance.engine.state.list('job'), [])
  assert.equal((await app.request('/api/jobs/nobody/state', { headers: { Cookie } })).status, 404)
})
