import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, registry } from '../engine.fixture.ts'
import { browser } from '../web/web.fixture.ts'
import { startServed } from './served.fixture.ts'

const files = { '.gitignore': 'node_modules/\ndata/\n', 'manifest.ts': oneJob('async () => 1') }

test('a token clones, pulls and pushes, and the push answers with what the manifest said', async t => {
  const served = await startServed(t, { files })
  const { instance, clone, commit, push, done, path, head } = served
  const mine = await clone()
  assert.equal(readFileSync(path(mine, 'manifest.ts'), 'utf8'), files['manifest.ts'])
  assert.equal(await done(mine, 'rev-parse', 'HEAD'), await head())
  assert.equal(await done(mine, 'branch', '--show-current'), 'main')

  const second = `${files['manifest.ts']}jobRegistry.register({ id: 'second', cron: '0 9 * * *', func: () => 2 })\n`
  const pushed = await commit(mine, { 'manifest.ts': second, 'jobs/notes.txt': 'kept' }, 'A second job')
  const answer = await push(mine)
  assert.equal(answer.code, 0, answer.text)
  assert.match(answer.text, /remote: main: 1 commit, 2 files changed\./)
  assert.match(
    answer.text,
    new RegExp(`remote: Live at ${pushed.slice(0, 12)}\\. Jobs: 1 added, 0 removed, 0 changed\\.`),
  )
  assert.match(answer.text, /remote: {3}\+ second \(0 9 \* \* \*, UTC\)/)
  assert.equal(await head(), pushed)
  assert.deepEqual(
    instance.engine.jobs().map(({ id }) => id),
    ['job', 'second'],
  )
  assert.equal((await instance.run('second')).commit, pushed)
  assert.equal(readFileSync(instance.path('jobs/notes.txt'), 'utf8'), 'kept')
  assert.equal((await instance.engine.repo()).dirty, false)

  const other = await clone('other')
  await commit(other, { 'jobs/notes.txt': 'again' })
  const quiet = await push(other)
  assert.match(quiet.text, /remote: Live at \w{12}\. No job has changed\./)
  await done(mine, 'pull', '--quiet')
  assert.equal(readFileSync(path(mine, 'jobs/notes.txt'), 'utf8'), 'again')
  assert.ok(!existsSync(`${instance.dir}/received/jobs.git`))
})

test('a push that does not load is kept, and the previous jobs keep running', async t => {
  const { instance, clone, commit, push, head } = await startServed(t, { files })
  const mine = await clone()
  const broken = await commit(mine, {
    'manifest.ts': `${registry}\n\nimport { gone } from './gone'\ngone()\n`,
  })
  const answer = await push(mine)
  assert.equal(answer.code, 0, answer.text)
  assert.match(answer.text, /remote: The commits are here, but not live:/)
  assert.match(answer.text, /remote: {3}manifest\.ts:4:\d+: .*gone/)
  assert.match(answer.text, /remote: The previous job keeps running\. Fix this and push again/)
  assert.equal(await head(), broken)
  assert.deepEqual(
    instance.engine.jobs().map(({ id }) => id),
    ['job'],
  )
  assert.equal((await instance.run('job')).status, 'succeeded')
  const fixed = await commit(mine, { 'manifest.ts': oneJob('async () => 3') })
  assert.match((await push(mine)).text, /remote: Live at/)
  const run = await instance.run('job')
  assert.deepEqual([run.commit, run.result], [fixed, 3])
})

test('a push that registers no jobs waits for a person', async t => {
  const { instance, clone, commit, push } = await startServed(t, { files })
  const mine = await clone()
  await commit(mine, { 'manifest.ts': registry })
  const answer = await push(mine)
  assert.match(answer.text, /remote: The commits are here, and wait:/)
  assert.match(answer.text, /remote: The previous job keeps running\. Confirm it at .*\/repo\./)
  assert.equal(instance.engine.jobs().length, 1)
})

test('a read token clones and does not push; a wrong or missing one does nothing, and guesses are limited', async t => {
  const { url, done, git, commit, push, head, origin, app, signIn } = await startServed(t, { files })
  const before = await head()
  await done('', 'clone', '--quiet', await url('read'), 'reader')
  await commit('reader', { 'a.txt': 'a' })
  const refused = await push('reader')
  assert.notEqual(refused.code, 0)
  assert.match(refused.text, /remote: .*The token "git read" has the scope read; this needs write/)
  assert.equal(await head(), before)

  const address = `${origin}/jobs.git`
  const nobody = await git('', 'clone', address, 'nobody')
  assert.notEqual(nobody.code, 0)
  const list = `${address}/info/refs?service=git-upload-pack`
  const unknown = await fetch(list, { headers: browser })
  assert.equal(unknown.status, 401)
  assert.match(unknown.headers.get('www-authenticate') ?? '', /^Basic realm=/)
  assert.match(await unknown.text(), /Send an API token as the password/)
  // A session is no way in: a page of another site could use it.
  const Cookie = await signIn()
  assert.equal(
    (await app.request('/jobs.git/info/refs?service=git-upload-pack', { headers: { Cookie } })).status,
    401,
  )
  const secret = new URL(await url('read')).password
  const bearer = await fetch(list, { headers: { Authorization: `Bearer ${secret}` } })
  assert.equal(bearer.status, 200)
  assert.equal(bearer.headers.get('set-cookie'), null)
  await bearer.arrayBuffer()
  const guess = (password: string) =>
    fetch(list, { headers: { Authorization: `Basic ${Buffer.from(`x:${password}`).toString('base64')}` } })
  const password = await guess('the password of the instance')
  assert.equal(password.status, 401)
  assert.match(await password.text(), /git needs an API token .* begins with lht_/)
  for (let i = 1; i < 10; i++) assert.equal((await guess(`lht_${i}`)).status, 401)
  assert.equal((await guess('lht_more')).status, 429)
  assert.equal((await guess(secret)).status, 200)
})
