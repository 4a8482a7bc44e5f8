import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { browser, instanceId, postForm, postJson, startWeb } from './web.fixture.ts'

interface Problem {
  type: string
  detail: string
  errors?: { path: string; message: string }[]
}
interface RunJson {
  id: string
  job_id: string
  status: string
  trigger: string
  slot: string | null
  duration_ms: number | null
  result: unknown
}

const hello = {
  'manifest.ts': oneJob("async c => { c.log('hello'); return c.params }", "description: 'Says hello.'"),
}

test('a stranger can read only health and whether a repo exists', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const doors = (await (await app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  const openOnes = [
    'get /api/health',
    'post /api/auth/password',
    'post /api/auth/logout',
    'get /api/jobs/repo',
    'post /api/jobs/repo/webhook',
    'get /openapi.json',
    // Only public badges; their own tests try the others.
    'get /badges/{file}',
    // The npm package `longhouse`: the same for everyone.
    'get /sdk/{file}',
  ]
  let tried = 0
  for (const [path, methods] of Object.entries(doors.paths)) {
    for (const method of Object.keys(methods)) {
      if (openOnes.includes(`${method} ${path}`)) continue
      const url = path.replace('{id}', 'job')
      const stranger = await app.request(url, { method: method.toUpperCase() })
      assert.equal(stranger.status, 401, `${method} ${path}`)
      const forged = await app.request(url, {
        method: method.toUpperCase(),
        headers: { Cookie: `longhouse_session=${'x'.repeat(43)}` },
      })
      assert.equal(forged.status, 401, `${method} ${path}`)
      const owner = await app.request(url, { method: method.toUpperCase(), headers: { Cookie } })
      assert.notEqual(owner.status, 401, `${method} ${path}`)
      tried++
    }
  }
  assert.ok(tried >= 12)
  for (const page of ['/', '/jobs/job', '/runs/run_x', '/repo']) {
    assert.equal((await app.request(page, { headers: browser })).status, 303, page)
  }
})

test('every response names the instance, and a request for another one is refused first', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  for (const path of ['/api/health', '/', '/nowhere', '/assets/x']) {
    const answer = await app.request(path)
    assert.equal(answer.headers.get('longhouse-instance'), instanceId, path)
  }
  const headers = { Cookie, 'Longhouse-Instance': 'inst_other' }
  for (const path of ['/api/health', '/api/jobs/job/run']) {
    const method = path.endsWith('run') ? 'POST' : 'GET'
    const answer = await app.request(path, { method, headers })
    assert.equal(answer.status, 421)
    assert.equal(((await answer.json()) as Problem).type, 'urn:longhouse:problem:misdirected')
    assert.equal(answer.headers.get('longhouse-instance'), instanceId)
  }
  const right = await app.request('/api/jobs', { headers: { Cookie, 'Longhouse-Instance': instanceId } })
  assert.equal(right.status, 200)
})

test('jobs are listed as registered, with the state of the manifest', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const answer = await app.request('/api/jobs', { headers: { Cookie: await signIn() } })
  const { jobs, manifest } = (await answer.json()) as {
    jobs: Record<string, unknown>[]
    manifest: Record<string, unknown>
  }
  assert.equal(jobs.length, 1)
  const { id, cron, timezone, description, enabled, next_run_at, last_run } = jobs[0] ?? {}
  assert.deepEqual(
    { id, cron, timezone, description, enabled, last_run },
    {
      id: 'job',
      cron: '0 8 * * *',
      timezone: 'UTC',
      description: 'Says hello.',
      enabled: true,
      last_run: null,
    },
  )
  assert.match(String(next_run_at), /^\d{4}-\d\d-\d\dT08:00:00\.000Z$/)
  assert.equal(manifest.status, 'ok')
  assert.deepEqual(manifest.errors, [])
})

test('run answers at once, or with Prefer: wait when the run ends; its parameters reach the job', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const soon = await postJson(app, '/api/jobs/job/run', {}, { Cookie })
  assert.equal(soon.status, 202)
  const queued = (await soon.json()) as RunJson
  assert.equal(soon.headers.get('location'), `/api/runs/${queued.id}`)
  assert.equal(queued.trigger, 'api')
  await instance.ended(queued.id)

  const wait = { Cookie, Prefer: 'wait=60' }
  const over = await postJson(app, '/api/jobs/job/run', { params: { greeting: 'hi' } }, wait)
  assert.equal(over.status, 200)
  assert.equal(over.headers.get('preference-applied'), 'wait=60')
  const run = (await over.json()) as RunJson
  assert.equal(run.status, 'succeeded')
  assert.deepEqual(run.result, { greeting: 'hi' })

  const list = await app.request('/api/jobs/job/runs?limit=1&offset=1', { headers: { Cookie } })
  const { runs, total } = (await list.json()) as { runs: RunJson[]; total: number }
  assert.equal(total, 2)
  assert.deepEqual(
    runs.map(({ id }) => id),
    [queued.id],
  )
  const one = await app.request(`/api/runs/${run.id}`, { headers: { Cookie } })
  assert.deepEqual(await one.json(), run)
  const log = await app.request(`/api/runs/${run.id}/log`, { headers: { Cookie } })
  assert.match(log.headers.get('content-type') ?? '', /^text\/plain/)
  assert.match(await log.text(), /hello/)
})

test('enable and disable return the job, and redirect a browser to its page', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const off = await postJson(app, '/api/jobs/job/disable', {}, { Cookie })
  assert.equal(off.status, 200)
  const job = (await off.json()) as { enabled: boolean; next_run_at: string | null }
  assert.deepEqual([job.enabled, job.next_run_at], [false, null])
  const on = await postForm(app, '/api/jobs/job/enable', { next: '/#job-job' }, { Cookie })
  assert.equal(on.status, 303)
  assert.equal(on.headers.get('location'), '/#job-job')
  const run = await postForm(app, '/api/jobs/job/run', {}, { Cookie })
  assert.match(run.headers.get('location') ?? '', /^\/runs\/run_/)
  const trap = await postForm(app, '/api/jobs/job/disable', { next: '//evil.example' }, { Cookie })
  assert.equal(trap.headers.get('location'), '/jobs/job')
})

test('cancel ends a run in progress, and leaves a finished one unchanged', async t => {
  const sleeper = { 'manifest.ts': oneJob('() => new Promise(() => setInterval(() => {}, 1000))') }
  const { app, signIn } = await startWeb(t, { files: sleeper })
  const Cookie = await signIn()
  const { id } = (await (await postJson(app, '/api/jobs/job/run', {}, { Cookie })).json()) as RunJson
  for (let time = 0; time < 2; time++) {
    const answer = await postJson(app, `/api/runs/${id}/cancel`, {}, { Cookie })
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as RunJson).status, 'cancelled')
  }
})

test('unknown objects are named, and errors are listed by field', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const ask = async (path: string, method = 'GET', body?: string) => {
    const answer = await app.request(path, { method, headers: { Cookie }, ...(body ? { body } : {}) })
    const problem = (await answer.json()) as Problem
    return [answer.status, problem.type.split(':').at(-1), problem.errors?.[0]?.path ?? problem.detail]
  }
  const noJob = [404, 'unknown-job', 'No job "nope" is registered.']
  assert.deepEqual(await ask('/api/jobs/nope/run', 'POST'), noJob)
  assert.deepEqual(await ask('/api/jobs/nope/enable', 'POST'), noJob)
  assert.deepEqual(await ask('/api/jobs/nope/runs'), noJob)
  assert.deepEqual(await ask('/api/jobs/nope/slots'), noJob)
  for (const [path, method] of [
    ['/api/runs/nope', 'GET'],
    ['/api/runs/nope/log', 'GET'],
    ['/api/runs/nope/cancel', 'POST'],
  ]) {
    const [status, kind, detail] = await ask(path as string, method)
    assert.deepEqual([status, kind], [404, 'unknown-run'])
    assert.match(String(detail), /"nope"/)
  }
  assert.deepEqual(await ask('/api/jobs/job/runs?limit=0'), [422, 'invalid', 'limit'])
  assert.deepEqual(await ask('/api/jobs/job/runs?offset=-1'), [422, 'invalid', 'offset'])
  assert.deepEqual(await ask('/api/jobs/job/run', 'POST', '{"params": 5}'), [422, 'invalid', 'params'])
  assert.deepEqual(await ask('/api/jobs/job/run', 'POST', '{"parms": {}}'), [422, 'invalid', 'parms'])
  assert.deepEqual(await ask('/api/jobs/job/enable', 'POST', '{"on": true}'), [422, 'invalid', 'on'])
  assert.equal((await ask('/api/jobs/job/run', 'POST', '{"params": '))[0], 400)
  assert.deepEqual((await ask('/api/jobs/repo/sync', 'POST')).slice(0, 2), [409, 'no-remote'])
  assert.equal((await ask('/api/jobs/job/run', 'GET'))[0], 405)
})

test('a stranger sees only that the repo exists, its owner sees everything', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const init = await postJson(app, '/api/jobs/repo/init', {}, { Cookie })
  assert.equal(init.status, 200)
  const stranger = await app.request('/api/jobs/repo')
  assert.deepEqual(await stranger.json(), { initialized: true })
  const owner = await app.request('/api/jobs/repo', { headers: { Cookie } })
  const repo = (await owner.json()) as { branch: string; remote: { connected: boolean } }
  assert.equal(repo.branch, 'main')
  assert.equal(repo.remote.connected, false)
})

test('the preview reports the effect of a clock change', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const headers = { Cookie: await signIn() }
  const query = new URLSearchParams({
    cron: '30 2 * * *',
    timezone: 'Europe/Berlin',
    from: '2026-03-28T12:00:00Z',
    count: '2',
  })
  const answer = await app.request(`/api/schedule/preview?${query}`, { headers })
  const { slots } = (await answer.json()) as { slots: { at: string; local: string; note: string | null }[] }
  assert.equal(slots[0]?.at, '2026-03-29T01:00:00.000Z')
  assert.match(slots[0]?.note ?? '', /moved/)
  assert.deepEqual(slots[1], {
    at: '2026-03-30T00:30:00.000Z',
    local: '2026-03-30T02:30:00+02:00',
    note: null,
  })
  const bad = await app.request('/api/schedule/preview?cron=61+*+*+*+*&timezone=Mars', { headers })
  assert.equal(bad.status, 422)
  assert.deepEqual(
    ((await bad.json()) as Problem).errors?.map(error => error.path),
    ['cron', 'timezone'],
  )
  for (const wrong of ['from=yesterday', 'count=0', 'count=501']) {
    const refused = await app.request(`/api/schedule/preview?cron=@daily&${wrong}`, { headers })
    assert.equal(refused.status, 422, wrong)
    assert.equal(((await refused.json()) as Problem).errors?.[0]?.path, wrong.split('=')[0])
  }
})
