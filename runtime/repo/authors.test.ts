import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { cleanAuthor } from '../git/authors.ts'
import { postJson, startWeb } from '../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("() => 'mine'") }

interface Listed {
  commits: { message: string; author: string; author_email: string; made_here: boolean }[]
}

test('the history names the author of a commit: the owner, a token, or the instance', async t => {
  const { app, instance, signIn } = await startWeb(t, { files, publicUrl: 'https://acme.example.com' })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'deploy <bot>', scope: 'write' }, { Cookie })
  const { secret } = (await made.json()) as { secret: string }
  const save = async (content: string, headers: Record<string, string>) => {
    const answer = await app.request('/api/jobs/repo/files/manifest.ts', {
      method: 'PUT',
      body: JSON.stringify({ content }),
      headers,
    })
    // It answers after ten seconds at the latest.
    await instance.engine.reload()
    return answer
  }
  assert.equal((await save(oneJob("() => 'by hand'"), { Cookie })).status, 200)
  // What does not load waits, and is named in the commit that makes it good.
  assert.equal((await save('broken(', { Authorization: `Bearer ${secret}` })).status, 200)
  assert.equal((await save(oneJob("() => 'both'"), { Cookie })).status, 200)
  assert.equal((await save(oneJob("() => 'token'"), { Authorization: `Bearer ${secret}` })).status, 200)
  instance.write('manifest.ts', oneJob("() => 'in the folder'"))
  await instance.engine.reload()

  const { commits } = (await (
    await app.request('/api/jobs/repo/commits', { headers: { Cookie } })
  ).json()) as Listed
  assert.deepEqual(
    commits.map(({ author, author_email, made_here }) => [author, author_email, made_here]),
    [
      ['Longhouse', 'longhouse@localhost', true],
      ['deploy bot (API token)', 'token@acme.example.com', true],
      ['Owner', 'owner@acme.example.com', true],
      ['Owner', 'owner@acme.example.com', true],
      ['Longhouse', 'longhouse@localhost', true],
    ],
  )
  assert.match(
    commits[2]?.message ?? '',
    /\n\nCo-authored-by: deploy bot \(API token\) <token@acme\.example\.com>$/,
  )
  assert.doesNotMatch(commits[1]?.message ?? '', /Co-authored-by/)
})

test('an author is one line from which git reads name and address', () => {
  assert.deepEqual(cleanAuthor({ name: 'a\n<b> ', email: 'x y@z\n' }), { name: 'a b', email: 'xy@z' })
  assert.deepEqual(cleanAuthor({ name: '<>', email: '' }), { name: 'unknown', email: 'unknown@localhost' })
})
