import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { oneJob } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'

interface Made {
  id: string
  name: string
  scope: string
  secret: string
  hint: string
  last_used_at: string | null
  last_used_from: string | null
}

const files = { 'manifest.ts': oneJob('async () => 1') }

test('a token allows what its scope says, and nothing more', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const tried: [string, string, string[]][] = [
    ['GET', '/api/jobs', ['read', 'run', 'write']],
    ['GET', '/api/jobs/job/slots', ['read', 'run', 'write']],
    ['POST', '/api/jobs/job/run', ['run', 'write']],
    ['POST', '/api/runs/run_none/cancel', ['run', 'write']],
    ['POST', '/api/jobs/job/disable', ['write']],
    ['POST', '/api/jobs/repo/init', ['write']],
    ['GET', '/api/tokens', []],
    ['POST', '/api/tokens', []],
    ['DELETE', '/api/tokens/tok_none', []],
  ]
  for (const scope of ['read', 'run', 'write']) {
    const made = await postJson(app, '/api/tokens', { name: `for ${scope}`, scope }, { Cookie })
    assert.equal(made.status, 201)
    const { secret } = (await made.json()) as Made
    assert.match(secret, /^lht_[\w-]{43}$/)
    for (const [method, path, may] of tried) {
      const answer = await app.request(path, { method, headers: { Authorization: `Bearer ${secret}` } })
      const words = `${scope}: ${method} ${path} → ${answer.status}`
      if (may.includes(scope)) assert.ok([200, 202, 404].includes(answer.status), words)
      else {
        assert.equal(answer.status, 403, words)
        const { type, detail } = (await answer.json()) as { type: string; detail: string }
        assert.match(type, may.length > 0 ? /scope-too-small$/ : /person-needed$/)
        if (may.length > 0) assert.match(detail, new RegExp(`scope ${scope}; this needs ${may[0]}`))
      }
    }
  }
})

test('the secret is shown once and kept as a hash; its last use is listed', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'grafana', scope: 'read' }, { Cookie })
  const { secret, ...token } = (await made.json()) as Made
  assert.equal(token.last_used_at, null)
  const headers = { Authorization: `Bearer ${secret}`, 'X-Forwarded-For': '203.0.113.9' }
  assert.equal((await app.request('/api/jobs', { headers })).status, 200)
  const list = await app.request('/api/tokens', { headers: { Cookie } })
  const text = await list.text()
  assert.ok(!text.includes(secret))
  const [listed] = (JSON.parse(text) as { tokens: Made[] }).tokens
  assert.equal(listed?.id, token.id)
  assert.equal(listed?.last_used_from, '203.0.113.9')
  assert.ok(listed?.last_used_at)
  const stored = ['longhouse.db', 'longhouse.db-wal'].map(name =>
    readFileSync(join(instance.dir, name), 'latin1'),
  )
  assert.ok(stored.join('').includes('grafana'), 'the files that are searched are the right ones')
  assert.ok(!stored.join('').includes(secret.slice(10)))
})

test('a revoked token is refused at once, even beside a session', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'old', scope: 'write' }, { Cookie })
  const { id, secret } = (await made.json()) as Made
  const Authorization = `Bearer ${secret}`
  assert.equal((await app.request('/api/jobs', { headers: { Authorization } })).status, 200)
  const gone = await app.request(`/api/tokens/${id}`, { method: 'DELETE', headers: { Cookie } })
  assert.equal(gone.status, 204)
  const refused = await app.request('/api/jobs', { headers: { Authorization, Cookie } })
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/)
  const again = await app.request(`/api/tokens/${id}`, { method: 'DELETE', headers: { Cookie } })
  assert.equal(again.status, 404)
})

test('wrong tokens are limited by address; the right one still works', async t => {
  const clock = manualClock()
  const { app, signIn } = await startWeb(t, { files, clock })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'good', scope: 'read' }, { Cookie })
  const { secret } = (await made.json()) as Made
  const ask = (token: string, address = '203.0.113.7') =>
    app.request('/api/jobs', {
      headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address },
    })
  for (let i = 0; i < 10; i++) assert.equal((await ask(`lht_${'x'.repeat(43)}`)).status, 401)
  const shut = await ask('lht_guess')
  assert.equal(shut.status, 429)
  assert.equal(shut.headers.get('retry-after'), '600')
  assert.equal((await ask('lht_guess', '203.0.113.8')).status, 401)
  assert.equal((await ask(secret)).status, 200)
  clock.advance(600_000)
  assert.equal((await ask('lht_guess')).status, 401)
})

test('a valid token sees the whole state of the repo, an invalid one nothing', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const made = await postJson(app, '/api/tokens', { name: 'r', scope: 'read' }, { Cookie: await signIn() })
  const { secret } = (await made.json()) as Made
  const ask = (token: string) =>
    app.request('/api/jobs/repo', { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(((await (await ask(secret)).json()) as { branch: string }).branch, 'main')
  assert.equal((await ask('lht_wrong')).status, 401)
})

test('people create and revoke tokens with forms', async t => {
  const { app, signIn } = await startWeb(t, { files, publicUrl: 'https://acme.example.com' })
  const Cookie = await signIn()
  const page = async () => (await app.request('/settings/tokens', { headers: { ...browser, Cookie } })).text()
  assert.match(await page(), /No tokens yet/)
  const made = await postForm(app, '/api/tokens', { name: ' ci <b> ', scope: 'run' }, { Cookie })
  assert.equal(made.status, 201)
  const shown = await made.text()
  const secret = /lht_[\w-]{43}/.exec(shown)?.[0] ?? ''
  assert.ok(secret && shown.includes(`Bearer ${secret}&#39; https://acme.example.com/api/jobs`))
  const listed = await page()
  assert.ok(!listed.includes(secret))
  assert.match(listed, /ci &lt;b&gt;/)

  const twice = await postForm(app, '/api/tokens', { name: 'ci <b>', scope: 'write' }, { Cookie })
  assert.equal(twice.status, 422)
  const again = await twice.text()
  assert.match(again, /Another token is called/)
  assert.match(again, /value="write" selected/)
  for (const [fields, words] of [
    [{ name: '', scope: 'run' }, /Must not be empty/],
    [{ name: 'x', scope: 'all' }, /Must be one of read, run, write/],
  ] as const) {
    const refused = await postForm(app, '/api/tokens', fields, { Cookie })
    assert.equal(refused.status, 422)
    assert.match(await refused.text(), words)
  }

  const action = /action="(\/api\/tokens\/tok_[^"]+\/revoke)"/.exec(listed)?.[1] ?? ''
  const revoked = await postForm(app, action, {}, { Cookie })
  assert.equal(revoked.status, 303)
  assert.equal(revoked.headers.get('location'), '/settings/tokens')
  assert.match(await page(), /No tokens yet/)
})
