import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { registry, until } from '../../engine.fixture.ts'
import { postForm, postJson, startWeb } from '../../web/web.fixture.ts'

interface RunJson {
  id: string
  job_id: string
  status: string
  trigger: string
  slot: string | null
  attempt: number
  commit: string
  params: Record<string, unknown>
  replay_of: string | null
  attempt_of: string | null
  result: unknown
  queue?: { position: number; reason: string }
}

const job = (id: string, func: string, options = '', cron = '@hourly') =>
  `jobRegistry.register({ id: '${id}', cron: '${cron}', func: ${func}, ${options} })\n`

test('a finished run can be replayed with its parameters, its due time and the latest code', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': registry + job('job', "({ params, run }) => ['old', params, run.slot]") },
  })
  const { engine, write } = instance
  const headers = { Cookie: await signIn(), Prefer: 'wait=60' }
  const due = engine.job('job')?.nextRunAt ?? 0
  engine.tick(due)
  const first = await instance.ended(engine.job('job')?.lastRun?.id ?? '')
  write('manifest.ts', registry + job('job', "({ params, run }) => ['new', params, run.slot]"))
  await engine.reload()
  await until(() => engine.manifest().commit !== first.commit, 'the new code is live')

  const answer = await postJson(app, `/api/runs/${first.id}/replay`, {}, headers)
  assert.equal(answer.status, 200)
  const again = (await answer.json()) as RunJson
  assert.equal(answer.headers.get('location'), `/api/runs/${again.id}`)
  const at = new Date(due).toISOString()
  assert.deepEqual([again.trigger, again.replay_of, again.slot], ['api', first.id, at])
  assert.deepEqual(again.result, ['new', {}, at])
  assert.notEqual(again.commit, first.commit)
  assert.equal(engine.slots('job', { limit: 9 }).slots[0]?.runId, first.id, 'the ledger keeps what was due')

  const given = await instance.run('job', { name: 'x' })
  const byForm = await postForm(app, `/api/runs/${given.id}/replay`, {}, { Cookie: headers.Cookie })
  assert.equal(byForm.status, 303)
  const id = byForm.headers.get('location')?.split('/').at(-1) ?? ''
  const third = await instance.ended(id)
  assert.deepEqual([third.trigger, third.params, third.replayOf], ['manual', { name: 'x' }, given.id])
})

test('a run that cannot be replayed says why', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts':
        registry +
        job('job', '() => 1', "params: { name: { type: 'string', default: 'a' } }") +
        job('long', '() => new Promise(() => setInterval(() => {}, 1000))'),
    },
  })
  const { engine, write } = instance
  const Cookie = await signIn()
  const replay = (id: string) => postJson(app, `/api/runs/${id}/replay`, {}, { Cookie })
  const going = engine.run('long', { trigger: 'manual' })
  const early = await replay(going.id)
  assert.equal(early.status, 409)
  assert.match(await early.text(), /is still in progress/)
  assert.equal((await replay('run_none')).status, 404)

  const run = await instance.run('job', { name: 'x' })
  write('manifest.ts', registry + job('job', '() => 1', "params: { name: { type: 'number', default: 1 } }"))
  await engine.reload()
  const refused = await replay(run.id)
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /params\.name/)
  write('manifest.ts', registry + job('other', '() => 1'))
  await engine.reload()
  assert.equal((await replay(run.id)).status, 404)
  const stranger = await postJson(app, `/api/runs/${run.id}/replay`, {})
  assert.equal(stranger.status, 401)
})

test('attempts and replays link to each other', async t => {
  const { instance } = await startWeb(t, {
    files: {
      'manifest.ts':
        registry +
        job(
          'job',
          '({ run }) => { if (run.attempt < 2) throw new Error("x") }',
          "retry: { attempts: 2, delay: '1s' }",
          // No due time of its own comes while the attempt is waited for.
          '0 0 29 2 *',
        ),
    },
  })
  const { engine } = instance
  const first = await instance.run('job')
  const second = await until(
    () => engine.runs({ jobId: 'job', limit: 1, offset: 0 }).runs.find(run => run.attempt === 2),
    'the next attempt is there',
  )
  await until(() => {
    engine.tick(Date.now())
    return engine.getRun(second.id)?.finishedAt
  }, 'it has ended')
  assert.deepEqual([second.attemptOf, first.attemptOf], [first.id, null])
  const other = await instance.run('job')
  await until(() => engine.runs({ jobId: 'job', limit: 9, offset: 0 }).total === 4, 'so has that one')
  const again = engine.replay(second.id, 'manual')
  const around = (id: string) => {
    const run = engine.getRun(id)
    assert.ok(run)
    return engine.runs({ around: run, limit: 9, offset: 0 }).runs.map(each => each.id)
  }
  assert.deepEqual(around(second.id), [again?.id, second.id, first.id])
  assert.deepEqual(around(again?.id ?? '').slice(-2), [again?.id, second.id])
  assert.ok(!around(first.id).includes(other.id))
  await instance.ended(again?.id ?? '')
})

test('queued runs are listed in order, each with what it waits for', async t => {
  const waits = `async () => {
    const { existsSync } = await import('node:fs')
    while (!existsSync('data/go')) await new Promise(done => setTimeout(done, 10))
  }`
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts':
        registry +
        job('one', waits, "concurrencyKey: 'shop'") +
        job('two', waits, "concurrencyKey: 'shop'") +
        job('three', waits, "overlap: 'queue'"),
      'data/.keep': '',
      '.gitignore': 'data/',
    },
  })
  const { engine, path } = instance
  const Cookie = await signIn()
  const ask = async (query: string) => {
    const answer = await app.request(`/api/runs${query}`, { headers: { Cookie } })
    assert.equal(answer.status, 200)
    return (await answer.json()) as { runs: RunJson[]; total: number }
  }
  const due = engine.job('three')?.nextRunAt ?? 0
  engine.tick(due)
  engine.tick(due + 3_600_000)
  const queued = await ask('?status=queued')
  assert.equal(queued.total, 2)
  assert.deepEqual(
    queued.runs.map(run => [run.job_id, run.queue?.position]),
    [
      ['two', 1],
      ['three', 2],
    ],
  )
  assert.match(queued.runs[0]?.queue?.reason ?? '', /concurrency key "shop"/)
  assert.match(queued.runs[1]?.queue?.reason ?? '', /of the same job has not ended/)
  const one = await app.request(`/api/runs/${queued.runs[0]?.id}`, { headers: { Cookie } })
  assert.equal(((await one.json()) as RunJson).queue?.position, 1)
  assert.equal((await ask('?status=running')).total, 2)
  const wrong = await app.request('/api/runs?status=waiting', { headers: { Cookie } })
  assert.equal(wrong.status, 422)
  writeFileSync(path('data/go'), '')
  await until(() => engine.waiting().length === 0, 'all have their turn')
})
