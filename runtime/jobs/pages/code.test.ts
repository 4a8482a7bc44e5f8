import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob, registry, until } from '../../engine.fixture.ts'
import { startRegistry } from '../../packages/registry.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../../web/web.fixture.ts'

test('a set without jobs lists the jobs that it would remove, and goes live when confirmed', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const Cookie = await signIn()
  instance.write('manifest.ts', registry)
  await instance.engine.reload()
  for (const path of ['/', '/repo']) {
    const page = await (await app.request(path, { headers: { ...browser, Cookie } })).text()
    assert.match(page, /The last change would remove every job/, path)
    assert.match(page, /action="\/api\/jobs\/repo\/confirm"/, path)
  }
  const told = (await (await app.request('/api/jobs', { headers: { Cookie } })).json()) as {
    manifest: { waiting_for: string; difference: { removed: number; jobs: { id: string; kind: string }[] } }
  }
  assert.deepEqual(
    [told.manifest.waiting_for, told.manifest.difference.removed, told.manifest.difference.jobs[0]?.id],
    ['confirmation', 1, 'job'],
  )
  assert.equal((await postJson(app, '/api/jobs/repo/confirm', {})).status, 401)
  assert.ok(instance.engine.job('job'), 'a stranger confirms nothing')
  const answer = await postForm(app, '/api/jobs/repo/confirm', {}, { Cookie })
  assert.equal(answer.headers.get('location'), '/repo')
  assert.equal(instance.engine.job('job'), null)
  const page = await (await app.request('/repo', { headers: { ...browser, Cookie } })).text()
  assert.match(page, /The last change/)
})

test('pages and API show the time of the next retry when the registry does not answer', async t => {
  const packages = await startRegistry(t)
  packages.fails(503)
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': `import { text } from 'greeting'\n${oneJob('() => text')}`,
      'package.json': '{ "type": "module", "dependencies": { "greeting": "1" } }',
      '.npmrc': `registry=${packages.url}/`,
    },
  })
  const Cookie = await signIn()
  await until(() => instance.engine.manifest().waitingFor === 'registry', 'it waits for the registry')
  const at = async (path: string) => (await app.request(path, { headers: { Cookie } })).json()
  const { next_try_at } = (await at('/api/jobs/repo/packages')) as { next_try_at: string }
  const { manifest } = (await at('/api/jobs')) as { manifest: { next_try_at: string } }
  for (const time of [next_try_at, manifest.next_try_at]) assert.ok(Date.parse(time) > Date.now() - 60_000)
  for (const path of ['/', '/repo']) {
    const page = await (await app.request(path, { headers: { ...browser, Cookie } })).text()
    assert.match(page, /Next attempt <time/, path)
    assert.match(page, /Install now/, path)
  }
})

test('the repo page shows an installation, its failure and a button to retry', async t => {
  const packages = await startRegistry(t)
  packages.answers(false)
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': `import { text } from 'greeting'\n${oneJob('() => text')}`,
      'package.json': '{ "type": "module", "dependencies": { "greeting": "1" } }',
      '.npmrc': `registry=${packages.url}/`,
    },
  })
  const Cookie = await signIn()
  const repoPage = async () => (await app.request('/repo', { headers: { ...browser, Cookie } })).text()
  await until(
    async () =>
      /Packages are being installed[\s\S]*hx-trigger="every 1s"|hx-trigger="every 1s"[\s\S]*Packages are being installed/.test(
        await repoPage(),
      ),
    'the page says that they are being installed, and looks again',
  )
  const health = (await (await app.request('/api/health')).json()) as { status: string }
  assert.equal(health.status, 'ok', 'an instance whose packages are not in is ready')

  packages.answers(true)
  await until(() => instance.engine.packages().status === 'failed', 'it fails')
  assert.match(await repoPage(), /greeting is not in the registry[\s\S]*Install again/)
  packages.publish('greeting', '1.0.0', { 'index.js': 'export const text = 1' })
  const path = '/api/jobs/repo/packages/install'
  assert.equal((await postJson(app, path, {})).status, 401)
  const going = await postJson(app, path, {}, { Cookie })
  assert.deepEqual([going.status, going.headers.get('location')], [202, '/api/jobs/repo/packages'])
  const ended = await postJson(app, path, {}, { Cookie, Prefer: 'wait=60' })
  assert.equal(ended.status, 200)
  const { status, output } = (await ended.json()) as { status: string; output: string }
  assert.deepEqual([status, /added 1 package/.test(output)], ['installed', true])
  assert.doesNotMatch(await repoPage(), /hx-trigger/)
})
