import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testFleet } from '../plugins/provisioner/fleet.fixture.ts'
import { workedExample } from '../src/testing/worked-example.ts'

test('the worked example of CONTRIBUTING.md compiles, migrates and answers', async t => {
  const { plugin: remarks, files } = await workedExample(t, 'plugins/remarks')
  assert.deepEqual(files, ['contract.ts', 'schema.ts', 'index.ts'])
  const fleet = await testFleet(t, { plugins: [remarks] })
  await fleet.provision('acme')
  const path = '/admin/instances/acme/remark'
  const write = (text: string, headers = {}, to = path) => fleet.admin('PUT', to, { body: { text }, headers })
  assert.deepEqual((await fleet.admin<unknown>('GET', path)).body, { text: null })
  assert.equal((await write('unpaid', { Authorization: 'Bearer a-token-of-somebody-elses' })).status, 401)
  assert.equal((await write('x'.repeat(501))).status, 422)
  assert.equal((await write('Stopped', {}, '/admin/instances/other/remark')).status, 404)
  assert.equal((await write('Stopped for maintenance')).status, 204)
  assert.deepEqual((await fleet.admin<unknown>('GET', path)).body, { text: 'Stopped for maintenance' })
  const { services } = fleet.program
  const offered = (services as Record<string, unknown>).remarks as { of(subdomain: string): string | null }
  assert.deepEqual([offered.of('acme'), offered.of('other')], ['Stopped for maintenance', null])
})
