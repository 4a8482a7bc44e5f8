import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob, registry, until } from '../../engine.fixture.ts'
import { browser, postForm, startWeb } from '../../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("async c => { c.log('<b>hello</b>') }", "description: 'Says hello.'") }

test('the jobs page shows each job with its schedule in words and its links', async t => {
  const { app, signIn } = await startWeb(t, { files, publicUrl: 'http://acme.localhost:8080' })
  const Cookie = await signIn()
  const answer = await app.request('/', { headers: { ...browser, Cookie } })
  assert.equal(answer.status, 200)
  const page = await answer.text()
  assert.match(page, /<title>Jobs · acme<\/title>/)
  assert.match(page, /At 08:00 every day/)
  assert.match(page, /action="\/api\/jobs\/job\/run"/)
  assert.match(page, /action="\/api\/jobs\/job\/disable"/)
  assert.match(page, /Says hello\./)
})

test('the jobs page says what keeps jobs from starting', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const page = async () => (await app.request('/', { headers: { ...browser, Cookie } })).text()
  assert.doesNotMatch(await page(), /Jobs may not start/)
  const checks = instance.engine.checks as Map<string, () => void>
  checks.set('scheduler', () => {
    throw new Error('No due time could be decided for 20 seconds: <no table>')
  })
  const told = await page()
  assert.match(told, /role="alert".*Jobs may not start on time/s)
  assert.match(told, /No due time could be decided for 20 seconds: &lt;no table&gt;/)
})

test('the jobs page shows the results of the past day’s due times', async t => {
  const often = (id: string, func: string) =>
    `jobRegistry.register({ id: '${id}', cron: '* * * * * *', func: ${func} })\n`
  const manifest = registry + often('well', '() => 1') + often('ill', "() => { throw new Error('no') }")
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': manifest } })
  const { engine } = instance
  const Cookie = await signIn()
  const page = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  assert.match(await page('/'), /well was not due in the last 24 hours/)
  const first = Math.max(...engine.jobs().map(job => job.nextRunAt ?? 0))
  await until(() => Date.now() > first, 'the first due time has come')
  engine.tick(first)
  for (const { id } of engine.runs({ limit: 9, offset: 0 }).runs) await instance.ended(id)
  const jobs = await page('/')
  assert.match(jobs, /well in the last 24 hours: \d+ ran"/)
  assert.match(
    jobs,
    /ill in the last 24 hours: \d+ failed"/,
    'a due time whose run failed is not told as well',
  )
  assert.match(jobs, /<line class="bar bad"[^>]*><title>[\d:]+: Failed/)
  const ill = await page('/jobs/ill')
  assert.match(ill, /Last due times[\s\S]*Failed[\s\S]*How it runs/)
  assert.doesNotMatch(ill, /Ran</)
  assert.match(await page('/jobs/well'), /Ran</)
})

test('a poll by htmx returns the same part without the layout', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const ask = async (path: string) => {
    const page = await (await app.request(path, { headers: { ...browser, Cookie } })).text()
    const headers = { ...browser, Cookie, 'HX-Request': 'true' }
    return { page, part: await (await app.request(path, { headers })).text() }
  }
  for (const path of ['/', '/jobs/job']) {
    const { page, part } = await ask(path)
    assert.ok(!part.includes('<html'))
    const id = /^<div id="([^"]+)"/.exec(part)?.[1]
    assert.ok(id && page.includes(`<div id="${id}"`), path)
    assert.ok(part.includes('hx-trigger="every 2s"'))
  }
})

test('a poll after the session has ended redirects the whole page to the sign-in', async t => {
  const { app } = await startWeb(t, { files })
  const headers = { ...browser, 'HX-Request': 'true', 'HX-Current-URL': 'http://acme.localhost/jobs/job' }
  const answer = await app.request('/jobs/job', { headers })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('hx-redirect'), '/login?next=%2Fjobs%2Fjob')
})

test('a broken manifest is shown with file and lines, and with the commit that keeps running', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  instance.write('manifest.ts', `${oneJob('async () => {}')}\nnoSuchThing('<i>')\n`)
  await instance.engine.reload()
  const page = await (await app.request('/', { headers: { ...browser, Cookie } })).text()
  assert.match(page, /The last change did not go live/)
  assert.match(page, /manifest\.ts:4:\d+/)
  assert.match(page, /noSuchThing is not defined/)
  assert.match(page, /keep running on schedule/)
  assert.match(page, /&lt;i&gt;/)
  assert.match(page, /At 08:00 every day/, 'the last good set is still there')
})

test('a run can be followed from its button to its log, and polling ends with it', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const started = await postForm(app, '/api/jobs/job/run', {}, { Cookie })
  const path = started.headers.get('location') ?? ''
  await instance.ended(path.split('/').at(-1) ?? '')
  const page = await (await app.request(path, { headers: { ...browser, Cookie } })).text()
  assert.match(page, /Succeeded/)
  assert.match(page, /&lt;b&gt;hello&lt;\/b&gt;/, 'what a job writes is text')
  assert.ok(!page.includes('hx-trigger'))
  assert.ok(!page.includes('http-equiv="refresh"'))
  const job = await (await app.request('/jobs/job', { headers: { ...browser, Cookie } })).text()
  assert.ok(job.includes(`href="${path}"`))
})

test('pages contain no inline styles or scripts, and load nothing from other sites', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const run = await instance.run('job')
  for (const path of ['/', '/jobs/job', `/runs/${run.id}`, '/repo', '/login', '/nowhere']) {
    const headers = { ...browser, ...(path === '/login' ? {} : { Cookie }) }
    const page = await (await app.request(path, { headers })).text()
    assert.doesNotMatch(page, /\sstyle=|<style|\son\w+=|<script(?! src="\/assets\/)/, path)
    assert.doesNotMatch(page, /(?:src|href|action)="(?:https?:)?\/\//, path)
  }
})

test('an unknown job or run gets a 404 page', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  for (const path of ['/jobs/nope', '/runs/nope']) {
    const answer = await app.request(path, { headers: { ...browser, Cookie } })
    assert.equal(answer.status, 404)
    assert.match(await answer.text(), /nope/)
  }
})

test('a log keeps its colours as classes; the API returns it unchanged', async t => {
  const written = "c.log('\\x1b[32mgreen\\x1b[0m and \\x1b[Kplain <i>'); throw new Error('\\x1b[31mred')"
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': oneJob(`async c => { ${written} }`) },
  })
  const Cookie = await signIn()
  const { id } = await instance.run('job')
  const page = await (await app.request(`/runs/${id}`, { headers: { ...browser, Cookie } })).text()
  assert.match(page, /<span class="term-green">green<\/span> and plain &lt;i&gt;/)
  assert.match(page, /<span class="term-red">red<\/span>/)
  const job = await (await app.request('/jobs/job', { headers: { ...browser, Cookie } })).text()
  assert.match(job, />red</)
  for (const text of [page, job]) assert.ok(!text.includes('\x1b'))
  const raw = await (await app.request(`/api/runs/${id}/log`, { headers: { Cookie } })).text()
  assert.ok(raw.includes('\x1b[32mgreen\x1b[0m and \x1b[Kplain <i>'))
})

test('a job removed from the manifest keeps its history', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const run = await instance.run('job')
  instance.write('manifest.ts', oneJob('async () => {}').replace("id: 'job'", "id: 'other'"))
  await instance.engine.reload()
  const ask = async (path: string) => {
    const answer = await app.request(path, {
      headers: { Cookie, ...(path.startsWith('/api') ? {} : browser) },
    })
    return { status: answer.status, text: await answer.text() }
  }
  const page = await ask('/jobs/job')
  assert.equal(page.status, 200)
  assert.match(page.text, /No longer registered/)
  assert.ok(page.text.includes(`href="/runs/${run.id}"`))
  assert.ok(!page.text.includes('/api/jobs/job/run'), 'nothing there to start it')
  assert.match((await ask('/api/jobs/job/runs')).text, /"total":1/)
  assert.equal((await ask('/api/jobs/job/slots')).status, 200)
  assert.equal((await ask('/api/jobs/never/runs')).status, 404)
  assert.equal((await ask('/jobs/other')).status, 200)
})

test('a run’s page states once how the run ended', async t => {
  const sleeper = { 'manifest.ts': oneJob('() => new Promise(() => setInterval(() => {}, 1000))') }
  const { app, instance, signIn } = await startWeb(t, { files: sleeper })
  const Cookie = await signIn()
  const { id } = instance.engine.run('job', { trigger: 'manual' })
  await instance.engine.cancel(id)
  const page = await (await app.request(`/runs/${id}`, { headers: { ...browser, Cookie } })).text()
  assert.equal(page.match(/cancelled/gi)?.length, 1)
})

test('a 404 page keeps the navigation for people who are signed in', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  for (const path of ['/nowhere', '/jobs/nope', '/runs/nope']) {
    const headers = { ...browser, Cookie }
    const answer = await app.request(path, { headers })
    assert.equal(answer.status, 404)
    assert.match(await answer.text(), /<nav aria-label="Main">[\s\S]*action="\/api\/auth\/logout"/, path)
    const stranger = await (await app.request(path, { headers: browser })).text()
    assert.doesNotMatch(stranger, /<nav|logout/)
  }
})
