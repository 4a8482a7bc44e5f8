import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth } from '../plugins/auth/index.ts'
import { workedExample } from '../src/testing/worked-example.ts'
import { bootForTest } from './boot.fixture.ts'

const adminToken = 'a-token-that-only-the-operator-has'

test('the worked example of CONTRIBUTING.md compiles, migrates and answers', async t => {
  const { plugin: remarks, files } = await workedExample(t, 'plugins/remarks')
  assert.deepEqual(files, ['contract.ts', 'schema.ts', 'index.ts'])
  const { app, services } = await bootForTest(t, [auth, remarks], { env: { ADMIN_TOKEN: adminToken } })
  const write = (text: string, token = adminToken) =>
    app.request('http://control.localhost/admin/instances/acme/remark', {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    })
  assert.equal((await write('unpaid', 'a-token-of-somebody-elses')).status, 401)
  assert.equal((await write('x'.repeat(501))).status, 422)
  assert.equal((await write('Stopped for maintenance')).status, 204)
  const offered = (services as Record<string, unknown>).remarks as { of(subdomain: string): string | null }
  assert.deepEqual([offered.of('acme'), offered.of('other')], ['Stopped for maintenance', null])
})
