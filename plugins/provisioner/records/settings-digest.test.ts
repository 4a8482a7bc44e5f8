import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import type { Driver } from '../driver.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'
import type { WireInstance } from '../pages/wire.ts'

interface List {
  instances: WireInstance[]
  total: number
  outdated: number
}

/** Instances that go on while the control plane restarts with other settings, as containers do. */
function lasting() {
  let kept: Driver | undefined
  return (real: Driver): Driver => {
    kept ??= real
    return { ...kept, name: 'process', outlivesControlPlane: true, close: async () => {} }
  }
}

const names = async (fleet: TestFleet, query = '') =>
  (await fleet.admin<List>('GET', `/admin/instances${query}`)).body.instances.map(each => each.subdomain)

test('instances that run with older settings are marked, listed, and restarted by one call', async t => {
  const root = temporaryFolder(t)
  const driver = lasting()
  const publicUrl = 'http://control.localhost:4711'
  const env = { LONGHOUSE_PUBLIC_URL: publicUrl }
  const first = await testFleet(t, { root, driver, env })
  for (const name of ['one-x', 'two-x', 'halted']) await first.provision(name)
  await first.admin('POST', '/admin/instances/halted/stop', { wait: 60 })
  assert.equal((await first.admin<List>('GET', '/admin/instances')).body.outdated, 0)
  await first.program.stop()

  // The same settings again: nothing is marked.
  const same = await testFleet(t, { root, driver, env })
  assert.deepEqual(await names(same, '?outdated=true'), [])
  await same.program.stop()

  const changes: Record<string, string> = {
    LONGHOUSE_PUBLIC_URL: 'http://control.localhost:4712',
    INSTANCE_TIMEZONE: 'Europe/Berlin',
    INSTANCE_KEEP_RUNS: '7',
    PROVISIONER_STOP_GRACE: '3s',
  }
  for (const [name, value] of Object.entries(changes)) {
    const changed = await testFleet(t, { root, driver, env: { ...env, [name]: value } })
    assert.deepEqual(await names(changed, '?outdated=true'), ['one-x', 'two-x'], name)
    await changed.program.stop()
  }

  const fleet = await testFleet(t, { root, driver, env: { ...env, INSTANCE_TIMEZONE: 'Europe/Berlin' } })
  const { body: list } = await fleet.admin<List>('GET', '/admin/instances')
  assert.deepEqual([list.total, list.outdated], [3, 2])
  assert.deepEqual(
    list.instances.map(({ subdomain, outdated }) => [subdomain, outdated]),
    [
      ['halted', false],
      ['one-x', true],
      ['two-x', true],
    ],
  )
  const html = { headers: { Accept: 'text/html' } }
  const page = (await fleet.admin<string>('GET', '/admin/instances', html)).body
  assert.match(page, /2 instances run with older settings/)
  assert.match(page, /action="\/admin\/instances\/restart-outdated"/)
  const own = (await fleet.admin<string>('GET', '/admin/instances/one-x', html)).body
  assert.match(own, /Running with older settings/)

  const stranger = await fleet.admin('POST', '/admin/instances/restart-outdated', {
    body: {},
    headers: { Authorization: '' },
  })
  assert.equal(stranger.status, 401)

  const one = await fleet.admin('POST', '/admin/instances/one-x/restart', { wait: 60 })
  assert.deepEqual([one.body.status, one.body.outdated], ['running', false])
  const all = await fleet.admin<{ instances: { subdomain: string; operation_id: string }[] }>(
    'POST',
    '/admin/instances/restart-outdated',
    { body: {} },
  )
  assert.equal(all.status, 202)
  assert.deepEqual(
    all.body.instances.map(each => each.subdomain),
    ['two-x'],
  )
  await eventually('it is restarted', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/two-x')
    return body.status === 'running' && body.operation?.kind === 'restart' && !body.outdated
  })
  assert.deepEqual(await names(fleet, '?outdated=true'), [])
  assert.equal((await fleet.admin('GET', '/admin/instances/halted')).body.status, 'stopped')
  await fleet.program.stop()
  for (const each of ['one-x', 'two-x']) {
    const { id } = list.instances.find(({ subdomain }) => subdomain === each) ?? { id: '' }
    await fleet.driver.stop({ id, subdomain: each }, 0)
    await first.driver.stop({ id, subdomain: each }, 0)
  }
})

test('a script gets the list in windows, with a link to the next one', async t => {
  const fleet = await testFleet(t)
  for (const name of ['aaa', 'bbb', 'ccc']) await fleet.provision(name)
  const first = await fleet.admin<List>('GET', '/admin/instances?limit=2')
  assert.deepEqual([first.body.instances.length, first.body.total], [2, 3])
  const next = /^<(\/admin\/instances\?limit=2&cursor=[\w-]+)>; rel="next"$/.exec(
    first.headers.get('link') ?? '',
  )?.[1]
  assert.equal(first.body.instances[0]?.operation?.kind, 'provision')
  // The link goes on after the last instance, whatever was made or removed before it meanwhile.
  await fleet.provision('aab')
  for (const path of [next ?? '', '/admin/instances?limit=2&offset=3']) {
    const rest = await fleet.admin<List>('GET', path)
    assert.deepEqual([rest.body.instances[0]?.subdomain, rest.headers.get('link')], ['ccc', null])
  }
  assert.deepEqual(await names(fleet, '?search=BB'), ['bbb'])
  assert.equal((await names(fleet)).length, 4)
  for (const bad of ['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'outdated=perhaps'])
    assert.equal((await fleet.admin('GET', `/admin/instances?${bad}`)).status, 422, bad)
})
