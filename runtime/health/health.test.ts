import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { browser, instanceId, postJson, startWeb } from '../web/web.fixture.ts'

const hello = {
  'manifest.ts': oneJob("async c => { c.log('hello'); return c.params }", "description: 'Says hello.'"),
}

test('health names the instance and reports a broken manifest without becoming unhealthy', async t => {
  const { app, instance } = await startWeb(t, { files: hello })
  const well = await app.request('/api/health')
  assert.equal(well.status, 200)
  const told = (await well.json()) as { status: string; instance_id: string; checks: Record<string, string> }
  assert.equal(told.status, 'ok')
  assert.equal(told.instance_id, instanceId)
  assert.equal(told.checks.manifest, 'ok')
  instance.write('manifest.ts', 'secretWord(')
  await instance.engine.reload()
  const broken = await app.request('/api/health')
  assert.equal(broken.status, 200)
  const text = await broken.text()
  assert.match(text, /"manifest":"error"/)
  assert.ok(!text.includes('secretWord'), 'no words of the customer’s code to strangers')
})

test('health shows failing checks to everyone, and the reasons to people who are signed in', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'watch', scope: 'read' }, { Cookie })
  const { secret } = (await made.json()) as { secret: string }
  const words = 'The job payroll-acme cannot be decided: bad secret'
  const checks = instance.engine.checks as Map<string, () => void>
  checks.set('scheduler', () => {
    throw new Error(words)
  })
  const health = async (headers: Record<string, string> = {}) => {
    const answer = await app.request('/api/health', { headers })
    assert.equal(answer.status, 503)
    return ((await answer.json()) as { checks: Record<string, string> }).checks
  }
  const short = { volume: 'ok', database: 'ok', scheduler: 'failing', manifest: 'ok' }
  assert.deepEqual(await health(), short)
  assert.deepEqual(await health({ Authorization: 'Bearer lht_wrong' }), short, 'health answers everyone')
  for (const headers of [{ Cookie }, { Authorization: `Bearer ${secret}` }]) {
    assert.deepEqual(await health(headers), { ...short, scheduler: words })
  }
})

test('how busy an instance is stays between the host and people who are signed in', async t => {
  const { app, signIn } = await startWeb(t, { files: hello })
  const Cookie = await signIn()
  const runs = async (headers: Record<string, string>) =>
    ((await (await app.request('/api/health', { headers })).json()) as { runs?: unknown }).runs
  const none = { running: 0, queued: 0 }
  const forwarded = { 'X-Forwarded-For': '203.0.113.7' }
  assert.deepEqual(await runs({}), none, 'the control plane asks without a proxy')
  assert.equal(await runs(forwarded), undefined, 'a stranger comes through the router')
  assert.deepEqual(await runs({ ...forwarded, Cookie }), none)
})

test('while the instance starts, health answers 503 and all other routes ask for a retry', async t => {
  const { app, signIn } = await startWeb(t, { withoutEngine: true })
  const health = await app.request('/api/health')
  assert.equal(health.status, 503)
  assert.equal(((await health.json()) as { status: string }).status, 'starting')
  const Cookie = await signIn()
  const jobs = await app.request('/api/jobs', { headers: { Cookie } })
  assert.equal(jobs.status, 503)
  assert.equal(jobs.headers.get('retry-after'), '1')
  const page = await app.request('/', { headers: { ...browser, Cookie } })
  assert.equal(page.status, 503)
  assert.match(await page.text(), /<noscript><meta http-equiv="refresh" content="1"/)
})
