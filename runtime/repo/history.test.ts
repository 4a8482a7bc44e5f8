import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, until } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'

interface Commit {
  commit: string
  message: string
}
interface Details extends Commit {
  files: { path: string; kind: string; hunks: { lines: string[] }[]; note: string | null }[]
}

test('the history lists commits with their lines, and a return to one loses nothing', async t => {
  const first = oneJob("() => 'first'")
  const files = { 'manifest.ts': first, 'notes.md': 'one\n', 'old.bin': 'a\0b' }
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const get = async <T>(path: string) => {
    const answer = await app.request(`/api/jobs/repo/commits${path}`, { headers: { Cookie } })
    return { status: answer.status, json: (await answer.json()) as T }
  }
  const page = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const original = instance.engine.manifest().commit ?? ''

  instance.write('manifest.ts', oneJob("() => '<second>'"))
  instance.write('jobs/added.ts', 'export const added = 1\n')
  rmSync(instance.path('old.bin'))
  await instance.engine.reload()
  const { json: listed } = await get<{ commits: Commit[]; more: boolean }>('')
  assert.deepEqual([listed.commits.length, listed.more, listed.commits[1]?.commit], [2, false, original])
  const second = listed.commits[0]?.commit ?? ''
  const { json: details } = await get<Details>(`/${second}`)
  assert.deepEqual(
    details.files.map(({ path, kind, note }) => [path, kind, note]),
    [
      ['jobs/added.ts', 'added', null],
      ['manifest.ts', 'changed', null],
      ['old.bin', 'removed', 'no text'],
    ],
  )
  const lines = details.files[1]?.hunks.flatMap(hunk => hunk.lines) ?? []
  assert.deepEqual(
    lines.map(line => line[0]),
    [' ', '-', '+'],
  )
  assert.match(await page('/repo/history'), new RegExp(`href="/repo/history/${second}"`))
  assert.match(await page(`/repo/history/${second}`), /class="plus"[\s\S]*&#39;&lt;second&gt;&#39;/)
  assert.equal((await get<{ commits: Commit[] }>(`?before=${second}`)).json.commits.length, 1)
  assert.equal((await get<{ commits: Commit[] }>(`?before=${original}`)).json.commits.length, 0)

  // What is not live, because it does not load, is kept by a commit of its own.
  instance.write('manifest.ts', 'broken(')
  instance.write('notes.md', 'two\n')
  await until(() => instance.engine.manifest().status === 'error', 'it is refused')
  const path = `/api/jobs/repo/commits/${original}/revert`
  assert.equal((await postJson(app, path, {})).status, 401)
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), 'broken(')
  const answer = await postForm(app, path, {}, { Cookie })
  assert.equal(answer.headers.get('location'), '/repo/history')
  assert.equal(instance.engine.manifest().status, 'ok')
  assert.equal((await instance.run('job')).result, 'first')
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), first)
  assert.deepEqual(
    ['notes.md', 'old.bin'].map(name => readFileSync(instance.path(name), 'utf8')),
    ['one\n', 'a\0b'],
  )
  assert.equal(existsSync(instance.path('jobs/added.ts')), false, 'what came later is gone from the files')
  const { json: after } = await get<{ commits: Commit[] }>('')
  assert.deepEqual(
    after.commits.slice(2).map(({ commit }) => commit),
    [second, original],
    'and not from the history',
  )
  const [returned, kept] = after.commits
  assert.match(returned?.message ?? '', new RegExp(`^Revert to ${original.slice(0, 7)}: Add `))
  assert.match(kept?.message ?? '', /^Uncommitted changes before the revert/)
  const work = await get<Details>(`/${kept?.commit}`)
  assert.ok(work.json.files.some(file => file.hunks.some(hunk => hunk.lines.includes('+broken('))))
  assert.equal((await instance.engine.repo()).dirty, false)

  assert.equal((await get(`/${'0'.repeat(40)}`)).status, 404)
  assert.equal((await get('/HEAD')).status, 422)
  const nowhere = await postJson(app, `/api/jobs/repo/commits/${'0'.repeat(40)}/revert`, {}, { Cookie })
  assert.equal(nowhere.status, 404)
})

test('a return across folders that became links, and back, writes nothing through a link', async t => {
  const files = { 'manifest.ts': oneJob("() => 'first'"), 'lib/a.txt': 'one\n', 'lib/deep/b.txt': 'two\n' }
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const { engine, path } = instance
  const outside = temporaryFolder(t)
  const back = async (commit: string) => {
    const answer = await postJson(app, `/api/jobs/repo/commits/${commit}/revert`, {}, { Cookie })
    await instance.engine.reload()
    return answer
  }
  const plain = engine.manifest().commit ?? ''

  rmSync(path('lib'), { recursive: true })
  symlinkSync(outside, path('lib'))
  instance.write('manifest.ts', oneJob("() => 'second'"))
  assert.equal((await engine.reload()).status, 'ok')
  const linked = engine.manifest().commit ?? ''
  assert.notEqual(linked, plain)

  assert.equal((await back(plain)).status, 200)
  assert.equal(readFileSync(path('lib/deep/b.txt'), 'utf8'), 'two\n')
  assert.ok(lstatSync(path('lib')).isDirectory())
  assert.deepEqual(readdirSync(outside), [])
  assert.equal((await instance.run('job')).result, 'first')
  assert.equal((await engine.repo()).dirty, false)

  // What no commit has is in the way.
  instance.write('.gitignore', 'own.txt\n')
  instance.write('lib/own.txt', 'mine\n')
  await engine.reload()
  const refused = await back(linked)
  assert.equal(refused.status, 409)
  assert.match(await refused.text(), /Nothing was changed: lib is in the way/)
  assert.deepEqual(readdirSync(path('lib')).sort(), ['a.txt', 'deep', 'own.txt'])
  assert.equal((await instance.run('job')).result, 'first')
  assert.equal((await engine.repo()).dirty, false)

  rmSync(path('lib/own.txt'))
  assert.equal((await back(linked)).status, 200)
  assert.ok(lstatSync(path('lib')).isSymbolicLink())
  assert.equal((await instance.run('job')).result, 'second')
  assert.deepEqual(readdirSync(outside), [])

  // A link that is in no commit may lead anywhere.
  rmSync(path('lib'))
  mkdirSync(path('lib'))
  instance.write('lib/sub/c.txt', 'three\n')
  await engine.reload()
  const deep = engine.manifest().commit ?? ''
  rmSync(path('lib/sub'), { recursive: true })
  await engine.reload()
  instance.write('.gitignore', 'sub\n')
  await engine.reload()
  symlinkSync(outside, path('lib/sub'))
  assert.equal((await back(deep)).status, 409)
  assert.deepEqual(readdirSync(outside), [])
  assert.equal((await engine.repo()).dirty, false)
})
