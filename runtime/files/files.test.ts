import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { oneJob, registry } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("() => 'first'") }
const twoJobs = `${registry}import { two } from './jobs/two'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: two })
jobRegistry.register({ id: 'two', cron: '0 9 * * *', func: two })\n`

interface Saved {
  file: { path: string; hash: string }
  manifest: { status: string; difference: { added: number } | null; errors: { message: string }[] }
}

test('the API lists, reads, saves with a message, detects conflicts, renames and deletes files', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const ask = async <T>(method: string, path: string, body?: unknown) => {
    const init = { method, headers: { Cookie }, ...(body ? { body: JSON.stringify(body) } : {}) }
    const answer = await app.request(`/api/jobs/repo/${path}`, init)
    return { status: answer.status, json: (await answer.json()) as T }
  }
  const list = await ask<{ files: { path: string }[] }>('GET', 'files')
  assert.deepEqual(
    list.json.files.map(file => file.path),
    ['manifest.ts'],
  )
  const before = await ask<{ content: string; hash: string }>('GET', 'files/manifest.ts')
  assert.equal(before.json.content, files['manifest.ts'])

  const two = await ask<Saved>('PUT', 'files/jobs/two.ts', {
    content: 'export const two = () => 2',
    hash: null,
  })
  assert.deepEqual([two.status, two.json.manifest.status], [200, 'ok'])
  const { hash } = before.json
  const saved = await ask<Saved>('PUT', 'files/manifest.ts', {
    content: twoJobs,
    hash,
    message: 'A second job',
  })
  assert.deepEqual([saved.json.manifest.status, saved.json.manifest.difference?.added], ['ok', 1])
  const { head, dirty } = await instance.engine.repo()
  assert.deepEqual([head?.message.split('\n')[0], dirty], ['A second job', false])
  assert.match(head?.message ?? '', /Update manifest\.ts\n\nJobs:\n\+ two \(0 9 \* \* \*, UTC\)$/)
  assert.equal((await instance.run('two')).result, 2)
  const other = await ask<Saved>('PUT', 'files/notes.md', { content: 'Nothing that a job needs.' })
  assert.deepEqual([other.json.manifest.status, other.json.manifest.difference], ['ok', null])

  const late = await ask<{ type: string }>('PUT', 'files/manifest.ts', { content: 'x', hash })
  assert.deepEqual([late.status, late.json.type], [409, 'urn:longhouse:problem:file-changed'])
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), twoJobs)

  const broken = await ask<Saved>('POST', 'rename', { from: 'jobs/two.ts', to: 'jobs/three.ts' })
  assert.equal(broken.json.manifest.status, 'error')
  assert.equal((await ask('DELETE', 'files/jobs%2Fthree.ts')).status, 200)
  assert.equal((await ask('DELETE', 'files/jobs/three.ts')).status, 404)
  assert.equal((await instance.run('two')).result, 2, 'the last good set keeps running')

  for (const path of ['..%2flonghouse.db', '.git%2fconfig', '%2fetc%2fpasswd']) {
    assert.equal((await ask('GET', `files/${path}`)).status, 422, path)
    assert.equal((await ask('PUT', `files/${path}`, { content: '' })).status, 422, path)
  }
  const noText = await ask<{ errors: { path: string }[] }>('PUT', 'files/a.ts', { hash: 1 })
  assert.deepEqual(noText.json.errors.map(error => error.path).sort(), ['content', 'hash'])
})

test('a check reports the effect of a save, and saves nothing', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const check = async (path: string, content: string) => {
    const answer = await postJson(app, '/api/jobs/repo/check', { path, content }, { Cookie })
    return (await answer.json()) as {
      errors: { file: string; line: number; message: string }[]
      difference: { jobs: { id: string; kind: string; next_run_at: string }[] } | null
      used: boolean
    }
  }
  const broken = await check('manifest.ts', `${files['manifest.ts']}nope()\n`)
  assert.deepEqual([broken.errors[0]?.file, broken.errors[0]?.line], ['manifest.ts', 3])
  const missing = await check('manifest.ts', twoJobs)
  assert.match(missing.errors[0]?.message ?? '', /cannot find the file "\.\/jobs\/two"/)
  const good = await check('manifest.ts', oneJob('() => 1').replace("'job'", "'other'"))
  assert.deepEqual(
    good.difference?.jobs.map(job => [job.kind, job.id]),
    [
      ['added', 'other'],
      ['removed', 'job'],
    ],
  )
  assert.deepEqual([good.used, (await check('notes.md', '# hello')).used], [true, false])

  // A file that is not there yet is found by those who import it.
  writeFileSync(instance.path('manifest.ts'), twoJobs)
  await instance.engine.reload()
  const made = await check('jobs/two.ts', 'export const two = () => 2')
  assert.deepEqual([made.errors, made.used, made.difference?.jobs.length], [[], true, 1])
  assert.equal(existsSync(instance.path('jobs')), false)
  assert.deepEqual(readdirSync(join(instance.dir, 'checks')), [])
  assert.deepEqual(
    instance.engine.jobs().map(job => job.id),
    ['job'],
  )
})

test('without JavaScript, forms create, check, save, rename and delete a file', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const open = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const post = (path: string, fields: Record<string, string>) =>
    postForm(app, `/repo/files/${path}`, fields, { Cookie })
  const hashIn = (page: string) => /name="hash" value="(\w*)"/.exec(page)?.[1] ?? ''

  assert.match(await open('/repo/files'), /href="\/repo\/files\/manifest\.ts"/)
  const opened = await app.request('/repo/files?new=jobs/a%20b.ts', { headers: { ...browser, Cookie } })
  assert.equal(opened.headers.get('location'), '/repo/files/jobs/a%20b.ts')
  assert.match(await open('/repo/files/jobs/a%20b.ts'), /A new file/)
  const made = await post('jobs/a%20b.ts', { action: 'save', hash: '', content: 'export const a = 1\r\n' })
  assert.equal(made.headers.get('location'), '/repo/files/jobs/a%20b.ts?saved')
  assert.equal(readFileSync(instance.path('jobs/a b.ts'), 'utf8'), 'export const a = 1\n')
  assert.match(await open('/repo/files/jobs/a%20b.ts?saved'), /Saved and live/)

  const page = await open('/repo/files/manifest.ts')
  const draft = `${files['manifest.ts']}nope('</textarea>')\n`
  const checked = await (
    await post('manifest.ts', { action: 'check', hash: hashIn(page), content: draft })
  ).text()
  assert.match(checked, /This does not load[\s\S]*manifest\.ts:3:1[\s\S]*nope is not defined/)
  assert.match(checked, /data-line="3"/)
  assert.match(checked, /nope\(&#39;&lt;\/textarea&gt;&#39;\)/, 'the text is kept')

  writeFileSync(instance.path('manifest.ts'), oneJob("() => 'somebody else'"))
  const late = await post('manifest.ts', {
    action: 'save',
    hash: hashIn(page),
    content: oneJob("() => 'mine'"),
  })
  assert.equal(late.status, 409)
  const both = await late.text()
  assert.match(both, /The file was changed while you edited it[\s\S]*somebody else[\s\S]*mine/)
  const again = { action: 'save', hash: hashIn(both.slice(both.indexOf('data-editor'))) }
  const over = await post('manifest.ts', { ...again, content: oneJob("() => 'mine'"), message: 'Both seen' })
  assert.equal(over.status, 303)
  assert.equal((await instance.run('job')).result, 'mine')
  assert.match((await instance.engine.repo()).head?.message ?? '', /^Both seen\n/)

  const renamed = await post('jobs/a%20b.ts', { action: 'rename', to: 'jobs/c.ts' })
  assert.equal(renamed.headers.get('location'), '/repo/files/jobs/c.ts?saved')
  const gone = await post('jobs/c.ts', { action: 'delete' })
  assert.match(await open(gone.headers.get('location') ?? ''), /Deleted jobs\/c\.ts/)
  assert.equal(existsSync(instance.path('jobs')), false)

  const stranger = await postForm(app, '/repo/files/manifest.ts', { action: 'save', content: 'x' })
  assert.equal(stranger.status, 303)
  assert.match(stranger.headers.get('location') ?? '', /^\/login/)
  assert.match(readFileSync(instance.path('manifest.ts'), 'utf8'), /mine/)
})

test('a failed save keeps the text and the message; a file that does not load keeps its message for its commit', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const post = (fields: Record<string, string>) =>
    postForm(app, '/repo/files/manifest.ts', fields, { Cookie })
  const open = async () =>
    (await app.request('/repo/files/manifest.ts', { headers: { ...browser, Cookie } })).text()
  const hash = async () => /name="hash" value="(\w*)"/.exec(await open())?.[1] ?? ''
  const draft = `${files['manifest.ts']}// mine`
  const sent = { action: 'save', hash: await hash(), content: draft, message: 'My words' }
  for (const [why, change, status] of [
    ['a message that is too long', { message: `My words ${'x'.repeat(300)}` }, 422],
    ['a file that is too large', { content: `${draft}\n//${'x'.repeat(600_000)}` }, 413],
    ['a zero byte', { content: `${draft}\0` }, 415],
    ['a file that was changed meanwhile', { hash: 'f'.repeat(32) }, 409],
  ] as const) {
    const answer = await post({ ...sent, ...change })
    assert.equal(answer.status, status, why)
    const page = await answer.text()
    assert.match(page, /\/\/ mine/, why)
    assert.match(page, /name="message"[^>]*value="My words|value="My words[^>]*name="message"/, why)
    assert.match(page, /data-unsaved="true"/, why)
    assert.match(page, /[Nn]othing was saved/, why)
  }
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), files['manifest.ts'])
  const checked = await (await post({ ...sent, action: 'check' })).text()
  assert.match(checked, /data-unsaved="true"/)
  const same = await (await post({ ...sent, action: 'check', content: files['manifest.ts'] })).text()
  assert.doesNotMatch(same, /data-unsaved/)

  await post({ ...sent, content: `${draft}\nnope()` })
  assert.match(await open(), /value="My words"[\s\S]*is not live yet/)
  await post({ ...sent, hash: await hash(), message: '' })
  assert.match((await instance.engine.repo()).head?.message ?? '', /^My words\n/)
  assert.doesNotMatch(await open(), /My words/)
})
