import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workedExample } from '../src/testing/worked-example.ts'
import { oneJob } from './engine.fixture.ts'
import { startWeb } from './web/web.fixture.ts'

test('the worked example of CONTRIBUTING.md compiles, migrates and answers in an instance', async t => {
  const { plugin: contacts, files } = await workedExample(t, 'runtime/contacts')
  assert.deepEqual(files, ['contract.ts', 'schema.ts', 'index.ts'])
  const { app, signIn } = await startWeb(t, {
    files: { 'manifest.ts': oneJob('() => {}') },
    extraPlugins: [contacts],
  })
  const Cookie = await signIn()
  const ask = (id: string, init: RequestInit = {}) =>
    app.request(`/api/jobs/${id}/contact`, { ...init, headers: { Cookie, ...init.headers } })
  const write = (contact: string, headers: Record<string, string> = {}) =>
    ask('job', { method: 'PUT', headers, body: JSON.stringify({ contact }) })

  assert.deepEqual(await (await ask('job')).json(), { contact: null })
  assert.equal((await write('ada', { Cookie: '' })).status, 401)
  assert.equal((await write('x'.repeat(201))).status, 422)
  assert.equal((await write('Ada, +44 20 7946 0000')).status, 204)
  assert.deepEqual(await (await ask('job')).json(), { contact: 'Ada, +44 20 7946 0000' })
  assert.equal((await ask('other')).status, 404)
  assert.equal((await ask('job', { headers: { Cookie: '' } })).status, 401)
  const { paths } = (await (await app.request('/openapi.json')).json()) as { paths: Record<string, unknown> }
  assert.ok(paths['/api/jobs/{id}/contact'])
})
