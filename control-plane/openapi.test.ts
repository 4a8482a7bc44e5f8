import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClientCompiles, assertValid, type Description } from '../src/testing/api-description.ts'
import { bootForTest } from './boot.fixture.ts'
import { plugins } from './program.ts'
import { controlWeb } from './web.tsx'

const token = 'a-token-of-this-test-that-is-long-enough'
const use = `import type { components, operations } from './schema.ts'

type Instance = components['schemas']['Instance']
const instances: Instance[] = []
const urls: string[] = instances.map(instance => instance.url + (instance.operation?.kind ?? ''))
const query: NonNullable<operations['deleteAdminInstance']['parameters']['query']> = { purge: true }
const body: operations['createAdminInstance']['requestBody'] = {
  content: { 'application/json': { subdomain: 'acme', owner_email: 'owner@example.com' } },
} as never
export default [urls, query, body]

// @ts-expect-error The query takes a boolean: a generated client must refuse text.
export const wrong: typeof query = { purge: 'true' }
`

test('two validators find nothing in the control plane’s description, and a generated client compiles', async t => {
  const web = controlWeb(
    { url: name => name, mount: () => {} },
    { isOperator: () => false, isOwner: () => false },
  )
  const { app } = await bootForTest(t, plugins, {
    env: { PROVISIONER_DRIVER: 'process', ADMIN_TOKEN: token },
    web: { info: web.info },
  })
  const description = (await (await app.request('/openapi.json')).json()) as Description
  await assertValid(description)
  for (const name of ['Instance', 'Operation', 'Problem'])
    assert.ok(name in description.components.schemas, name)
  assert.match(description.servers[0]?.url ?? '', /^http:\/\/control\.localhost:\d+$/)
  for (const { name, description: words } of description.tags)
    assert.doesNotMatch(words, /^Everything about/, name)
  await assertClientCompiles(t, description, use)

  // A misspelt `purge` would remove the container and keep what was to go.
  const answer = await app.request('/admin/instances/acme?pruge=true', {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}` },
  })
  assert.equal(answer.status, 422)
  const { errors } = (await answer.json()) as { errors: object[] }
  assert.deepEqual(errors, [
    { path: 'pruge', message: 'is not a query parameter here; there is "purge", "anyway", "without_copy"' },
  ])
})
