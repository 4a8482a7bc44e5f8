import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, until } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'

interface Listed {
  files: { path: string; kind: string; hash: string | null; hunks: { lines: string[] }[] }[]
  obstacle: string | null
}

const path = '/api/jobs/repo/uncommitted'
const discard = `${path}/discard`

test('edits that are in no commit are shown line by line, and discarded file by file', async t => {
  const good = oneJob("() => 'first'")
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': good, 'a.md': 'a\n' } })
  const Cookie = await signIn()
  const list = async () => (await (await app.request(path, { headers: { Cookie } })).json()) as Listed
  const page = async () =>
    (await app.request('/repo/uncommitted', { headers: { ...browser, Cookie } })).text()
  assert.deepEqual((await list()).files, [])
  assert.match(await page(), /Everything is committed/)

  instance.write('manifest.ts', 'broken(\n')
  instance.write('new.md', '<new>\n')
  rmSync(instance.path('a.md'))
  await until(() => instance.engine.manifest().status === 'error', 'it is refused')
  const { files } = await list()
  assert.deepEqual(
    files.map(each => [each.path, each.kind, each.hash !== null]),
    [
      ['a.md', 'removed', false],
      ['manifest.ts', 'changed', true],
      ['new.md', 'added', true],
    ],
  )
  const hashOf = (name: string) => files.find(each => each.path === name)?.hash ?? null
  assert.ok(files[1]?.hunks.flatMap(each => each.lines).includes('+broken('))
  const shown = await page()
  assert.match(shown, /Discard this edit/)
  assert.match(shown, /&lt;new&gt;/)
  assert.match(
    await (await app.request('/repo', { headers: { ...browser, Cookie } })).text(),
    /href="\/repo\/uncommitted"/,
  )

  const edit = { path: 'manifest.ts', hash: hashOf('manifest.ts') }
  assert.equal((await postJson(app, discard, edit)).status, 401)
  const unknown = await postJson(app, discard, { path: '../longhouse.db', hash: null }, { Cookie })
  assert.equal(unknown.status, 404)
  assert.equal((await postJson(app, discard, { path: 'new.md', hash: 'x' }, { Cookie })).status, 422)

  // An edit that the person has not seen stays.
  instance.write('manifest.ts', 'broken, differently(\n')
  const late = await postJson(app, discard, edit, { Cookie })
  assert.deepEqual(
    [late.status, ((await late.json()) as { type: string }).type],
    [409, 'urn:longhouse:problem:file-changed'],
  )
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), 'broken, differently(\n')

  execFileSync('git', ['add', 'manifest.ts'], { cwd: instance.path('.') })
  const fresh = (await list()).files.find(each => each.path === 'manifest.ts')?.hash ?? ''
  const done = await postForm(app, discard, { path: 'manifest.ts', hash: fresh }, { ...browser, Cookie })
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/repo/uncommitted'])
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), good)
  await until(() => instance.engine.manifest().status === 'ok', 'it is live')
  // What loads is committed again.
  assert.ok(existsSync(instance.path('new.md')))
  await until(async () => (await list()).files.length === 0, 'the others are committed')
  const status = execFileSync('git', ['status', '--porcelain', '-uno'], {
    cwd: instance.path('.'),
    encoding: 'utf8',
  })
  assert.equal(status, '')
})

test('a new file and a deleted one go back too, and nothing happens while git is in the middle of something', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': oneJob('() => 1'), 'a/b.md': 'b\n' },
  })
  const Cookie = await signIn()
  const list = async () => (await (await app.request(path, { headers: { Cookie } })).json()) as Listed
  instance.write('manifest.ts', 'broken(\n')
  instance.write('deep/new.md', 'new\n')
  rmSync(instance.path('a'), { recursive: true })
  await until(() => instance.engine.manifest().status === 'error', 'it is refused')
  instance.write('.git/MERGE_HEAD', '')
  const hash = (await list()).files.find(each => each.path === 'deep/new.md')?.hash ?? null
  const busy = await postJson(app, discard, { path: 'deep/new.md', hash }, { Cookie })
  assert.equal(busy.status, 409)
  assert.match(await busy.text(), /Nothing was discarded: a merge is in progress/)
  assert.ok(existsSync(instance.path('deep/new.md')))
  rmSync(instance.path('.git/MERGE_HEAD'))

  assert.equal((await postJson(app, discard, { path: 'deep/new.md', hash }, { Cookie })).status, 200)
  assert.ok(!existsSync(instance.path('deep')))
  assert.equal((await postJson(app, discard, { path: 'a/b.md', hash: null }, { Cookie })).status, 200)
  assert.equal(readFileSync(instance.path('a/b.md'), 'utf8'), 'b\n')
  assert.deepEqual(
    (await list()).files.map(each => each.path),
    ['manifest.ts'],
  )
})
