import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { audit } from '../../audit/index.ts'
import { testFleet } from '../fleet.fixture.ts'

test('a newer request supersedes the operation in progress', async t => {
  const fleet = await testFleet(t)
  fleet.behave('acme', 'sick')
  const first = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'a@example.com' },
  })
  const gone = await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.equal(gone.body.status, 'deleted')
  const before = await fleet.admin<{ status: string }>('GET', first.headers.get('location') ?? '')
  assert.equal(before.body.status, 'superseded')
  assert.equal(
    (await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })).body.status,
    'deleted',
  )
})

test('an operation that a newer one supersedes has a closing entry that names it', async t => {
  const fleet = await testFleet(t, { plugins: [audit] })
  fleet.behave('acme', 'sick')
  const made = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'a@example.com' },
  })
  const stop = await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const { body } = await fleet.admin<{
    entries: { operation_id: string | null; result: string; detail: string; via: string }[]
  }>('GET', '/admin/audit?instance=acme')
  const first = made.headers.get('location')?.split('/').at(-1)
  const entries = body.entries.filter(each => each.operation_id === first).toReversed()
  assert.deepEqual(
    entries.map(({ result, via }) => [result, via === 'operation']),
    [
      ['accepted', false],
      ['superseded', true],
    ],
  )
  assert.equal(entries[1]?.detail, `by stop ${stop.body.operation?.id}`)
})

test('the same request twice is one operation', async t => {
  const fleet = await testFleet(t)
  fleet.behave('acme', 'sick')
  const first = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'a@example.com' },
  })
  const again = await fleet.admin('POST', '/admin/instances/acme/start')
  assert.equal(again.status, 202)
  assert.equal(again.headers.get('location'), first.headers.get('location'))
  fleet.behave('acme', 'well')
  await eventually(
    'running',
    async () => (await fleet.admin('GET', '/admin/instances/acme')).body.status === 'running',
  )
  assert.equal((await fleet.admin('POST', '/admin/instances/acme/start')).status, 200)
})

test('operations in progress when the program ended are resumed at the next start', async t => {
  const root = temporaryFolder(t)
  const first = await testFleet(t, { root })
  const running = await first.provision('runs')
  await first.provision('stops')
  await first.admin('POST', '/admin/instances/stops/stop', { wait: 60 })
  first.behave('begun', 'sick')
  await first.admin('POST', '/admin/instances', {
    body: { subdomain: 'begun', owner_email: 'a@example.com' },
  })
  await eventually('it waits for health', async () => {
    const { body } = await first.admin('GET', '/admin/instances/begun')
    return body.operation?.steps.at(-1)?.status === 'running'
  })
  await first.program.stop()

  first.behave('begun', 'well')
  const second = await testFleet(t, { root })
  const status = async (name: string) => (await second.admin('GET', `/admin/instances/${name}`)).body
  await eventually('the one begun runs', async () => (await status('begun')).status === 'running')
  await eventually('the one that ran runs', async () => (await second.visit('runs')).status === 200)
  assert.equal((await status('runs')).id, running.body.id)
  assert.equal((await status('stops')).status, 'stopped')
})
