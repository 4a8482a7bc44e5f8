import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { until } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { startGitServer } from './git-server.fixture.ts'
import { manyJobs } from './sync.fixture.ts'

interface RepoJson {
  head: { commit: string }
  remote: { connected: boolean; url: string; error: string | null; conflict: { theirs: string } | null }
  webhook: { url: string; secret: string }
  errors: { path: string; message: string }[]
}

const files = { '.gitignore': 'node_modules/\n', 'manifest.ts': manyJobs(2), 'notes.txt': 'a\n' }

test('the API connects, syncs, resolves and disconnects a remote, and never shows its token', async t => {
  const server = await startGitServer(t)
  const { app, instance, signIn } = await startWeb(t, { files, publicUrl: 'https://acme.example.com' })
  const Cookie = await signIn()
  const headers = { Cookie }
  const put = async (body: unknown) => {
    const answer = await app.request('/api/jobs/repo/remote', {
      method: 'PUT',
      body: JSON.stringify(body),
      headers,
    })
    return { status: answer.status, body: (await answer.json()) as RepoJson }
  }
  const { url, token } = server
  assert.equal((await postJson(app, '/api/jobs/repo/sync', {}, headers)).status, 409)
  for (const [body, path] of [
    [{ url: 'http://example.com/jobs.git', token }, 'url'],
    [{ url: 'https://ada:secret@example.com/jobs.git', token }, 'url'],
    [{ url: 'git@example.com:jobs.git', token }, 'url'],
    [{ url }, 'token'],
    [{ url, token: 'wrong' }, 'token'],
    [{ url, token, branch: '../x' }, 'branch'],
    [{ url: `${url}x`, token }, 'url'],
  ] as const) {
    const { status, body: told } = await put(body)
    assert.equal(status, 422, JSON.stringify(body))
    assert.deepEqual(
      told.errors.map(error => error.path),
      [path],
      JSON.stringify(told),
    )
  }
  server.readOnly = true
  assert.match((await put({ url, token })).body.errors[0]?.message ?? '', /403/)
  server.readOnly = false

  const { status, body: made } = await put({ url, token })
  assert.equal(status, 200)
  assert.deepEqual([made.remote.connected, made.remote.url, made.remote.error], [true, url, null])
  assert.equal(made.webhook.url, 'https://acme.example.com/api/jobs/repo/webhook')
  assert.equal(server.head(), made.head.commit)
  assert.equal((await put({ url })).status, 200, 'the same repository needs no token again')
  assert.ok(!JSON.stringify(await (await app.request('/api/jobs/repo', { headers })).json()).includes(token))

  const pushed = server.edit({ 'new.txt': 'x' })
  const body = '{"ref":"refs/heads/main"}'
  const hook = (key: string) =>
    app.request('/api/jobs/repo/webhook', {
      method: 'POST',
      body,
      headers: { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}` },
    })
  assert.equal((await hook('wrong')).status, 401)
  assert.equal((await hook(made.webhook.secret)).status, 202)
  await until(async () => (await instance.engine.repo()).head?.commit === pushed, 'the push is here')

  assert.equal((await postJson(app, '/api/jobs/repo/resolve', { side: 'ours' }, headers)).status, 409)
  const theirs = server.edit({ 'notes.txt': 'theirs\n' })
  instance.write('notes.txt', 'ours\n')
  instance.write('manifest.ts', manyJobs(3))
  await until(() => instance.engine.jobs().length === 3, 'the edit is live')
  const conflict = (await (await postJson(app, '/api/jobs/repo/sync', {}, headers)).json()) as RepoJson
  assert.equal(conflict.remote.conflict?.theirs, theirs)
  const page = await (await app.request('/repo/remote', { headers: { ...browser, Cookie } })).text()
  assert.match(page, /ours\n[\s\S]*theirs\n/)
  assert.ok(!page.includes(token))
  const stale = { side: 'ours', theirs: pushed }
  assert.equal((await postJson(app, '/api/jobs/repo/resolve', stale, headers)).status, 409)
  const settled = await postJson(app, '/api/jobs/repo/resolve', { side: 'theirs', theirs }, headers)
  assert.equal(((await settled.json()) as RepoJson).remote.conflict, null)
  assert.equal(server.read('notes.txt'), 'theirs')

  const gone = await app.request('/api/jobs/repo/remote', { method: 'DELETE', headers })
  assert.equal(((await gone.json()) as RepoJson).remote.connected, false)
  assert.equal((await hook(made.webhook.secret)).status, 401)
})

test('the page connects a remote with a form, shows errors beside their fields, and syncs', async t => {
  const server = await startGitServer(t)
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const { url, token } = server
  const wrong = await postForm(
    app,
    '/repo/remote',
    { url, token: 'wrong', branch: '', username: '' },
    { Cookie },
  )
  assert.equal(wrong.status, 422)
  const again = await wrong.text()
  assert.match(again, /Does not work: the remote refused the token/)
  assert.ok(again.includes(`value="${url}"`))
  assert.ok(!again.includes('value="wrong"'))
  const made = await postForm(app, '/repo/remote', { url, token, branch: '', username: '' }, { Cookie })
  assert.equal(made.status, 200)
  const page = await made.text()
  assert.match(page, /In sync/)
  assert.match(page, /shown only once/)
  const synced = await postForm(app, '/api/jobs/repo/sync', {}, { Cookie })
  assert.equal(synced.headers.get('location'), '/repo/remote')
  const repo = await (await app.request('/repo', { headers: { ...browser, Cookie } })).text()
  assert.match(repo, /In sync/)
  assert.equal(
    (await postForm(app, '/repo/remote', { url, token })).status,
    303,
    'a stranger goes to sign-in',
  )
})
