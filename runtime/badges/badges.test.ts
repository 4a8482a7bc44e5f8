import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { browser, postForm, startWeb } from '../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("async c => { if (c.params.fail) throw new Error('private words') }") }

test('a private badge is hidden from everyone; a public one shows the job’s state to everyone', async t => {
  const { app, instance, signIn } = await startWeb(t, { files, publicUrl: 'https://acme.example.com' })
  const Cookie = await signIn()
  const badge = () => app.request('/badges/job.svg')
  const put = (body: unknown, headers: Record<string, string> = { Cookie }) =>
    app.request('/api/jobs/job/badge', { method: 'PUT', headers, body: JSON.stringify(body) })
  const closed = await badge()
  const unknown = await app.request('/badges/nope.svg')
  assert.deepEqual([closed.status, unknown.status], [404, 404])
  assert.equal((await put({ public: true }, {})).status, 401)
  assert.equal((await put({ public: 'maybe' })).status, 422)
  assert.equal((await badge()).status, 404)

  assert.deepEqual(await (await put({ public: true })).json(), { public: true })
  const first = await badge()
  assert.match(first.headers.get('content-type') ?? '', /^image\/svg\+xml/)
  assert.equal(first.headers.get('cross-origin-resource-policy'), 'cross-origin')
  assert.match(await first.text(), /^<svg xmlns=.*not run yet/)
  await instance.run('job')
  assert.match(await (await badge()).text(), /passing/)
  await instance.run('job', { fail: true })
  const failing = await (await badge()).text()
  assert.match(failing, /failing/)
  assert.ok(!failing.includes('private'))
  instance.engine.setEnabled('job', false)
  assert.match(await (await badge()).text(), /disabled/)

  const page = await (await app.request('/jobs/job', { headers: { ...browser, Cookie } })).text()
  assert.ok(page.includes('![job](https://acme.example.com/badges/job.svg)'))
  const back = await postForm(app, '/api/jobs/job/badge', { public: 'false' }, { Cookie })
  assert.equal(back.headers.get('location'), '/jobs/job')
  assert.equal((await badge()).status, 404)
})
