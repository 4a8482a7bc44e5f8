import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemDocument } from '../../../src/http/problem.ts'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import type { InstanceChange } from '../contract.ts'
import { testFleet } from '../fleet.fixture.ts'

interface Results {
  dry_run: boolean
  instances: {
    subdomain: string
    result: string | null
    operation_id: string | null
    detail: string | null
  }[]
}

test('several instances are stopped and started at once, and each has a result and a record of its own', async t => {
  const changes: InstanceChange[] = []
  const recorder = definePlugin({
    name: 'recorder',
    needs: ['provisioner'],
    setup: () => ({ hooks: { 'instance-change': change => void changes.push(change) } }),
  })
  const fleet = await testFleet(t, { plugins: [recorder] })
  for (const name of ['one-x', 'two-x', 'three-x']) await fleet.provision(name)
  const bulk = (body: object) => fleet.admin<Results>('POST', '/admin/instances/bulk', { body })

  const dry = await bulk({ action: 'stop', everything: true, filter: 'search=x', dry_run: true })
  assert.deepEqual(
    [dry.status, dry.body.instances.map(({ subdomain }) => subdomain)],
    [200, ['one-x', 'three-x', 'two-x']],
  )
  changes.length = 0
  const stopped = await bulk({ action: 'stop', instances: ['one-x', 'two-x', 'nothing-here'] })
  assert.equal(stopped.status, 202)
  assert.deepEqual(
    stopped.body.instances.map(({ subdomain, result }) => `${subdomain} ${result}`),
    ['one-x accepted', 'two-x accepted', 'nothing-here refused'],
  )
  assert.match(stopped.body.instances[2]?.detail ?? '', /No instance is called/)
  assert.deepEqual(
    changes
      .filter(({ result }) => result === 'accepted')
      .map(({ subdomain, change }) => `${subdomain} ${change}`),
    ['one-x stop', 'two-x stop'],
  )
  for (const { operation_id: id } of stopped.body.instances)
    if (id)
      assert.equal((await fleet.admin<{ kind: string }>('GET', `/admin/operations/${id}`)).body.kind, 'stop')
  await fleet.admin('POST', '/admin/instances/one-x/stop', { wait: 20 })
  await fleet.admin('POST', '/admin/instances/two-x/stop', { wait: 20 })

  const again = await bulk({ action: 'stop', everything: true, filter: 'status=stopped' })
  assert.deepEqual(
    [again.status, again.body.instances.map(({ subdomain, result }) => `${subdomain} ${result}`)],
    [200, ['one-x unchanged', 'two-x unchanged']],
  )
  const copies = await bulk({ action: 'backup', instances: ['one-x'] })
  assert.match(copies.body.instances[0]?.detail ?? '', /No backup can be made: nothing makes backups here/)

  for (const [body, path, words] of [
    [{ action: 'stop' }, 'instances', /at least one instance/],
    [{ action: 'purge', instances: ['one-x'] }, 'action', /must be one of start, stop/],
    [
      { action: 'stop', everything: true, filter: 'colour=red' },
      'filter',
      /"colour", which the list does not know/,
    ],
    [
      { action: 'stop', everything: true, filter: 'status=failed&status=stopped' },
      'filter',
      /"status" more than once/,
    ],
    [{ action: 'stop', everything: true, filter: 'toString=x' }, 'filter', /"toString", which the list/],
    [{ action: 'stop', everything: true, filter: 'status=red' }, 'filter', /status.* must be one or more of/],
    [{ action: 'stop', everything: true, instances: ['one-x'] }, 'everything', /give one of them/],
    [{ action: 'stop', instances: Array(1001).fill('x') }, 'instances', /at most 1000/],
  ] as const) {
    const refused = await fleet.admin<ProblemDocument>('POST', '/admin/instances/bulk', { body })
    assert.deepEqual(
      [refused.status, refused.body.errors?.[0]?.path],
      [422, path],
      JSON.stringify(body).slice(0, 80),
    )
    assert.match(refused.body.errors?.[0]?.message ?? '', words)
  }
  const stranger = await fleet.admin('POST', '/admin/instances/bulk', {
    body: { action: 'stop', instances: ['three-x'] },
    headers: { Authorization: 'Bearer wrong-token-of-a-stranger' },
  })
  assert.equal(stranger.status, 401)
})

test('on the page, what is done to several instances is confirmed by name first', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  await fleet.provision('beta')
  const form = (fields: string) =>
    fleet.program.app.request('/admin/instances/bulk', {
      method: 'POST',
      headers: {
        Host: 'control.localhost',
        Authorization: 'Bearer a-token-that-only-the-operator-has',
        Accept: 'text/html',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: fields,
    })
  const status = async (name: string) => (await fleet.admin('GET', `/admin/instances/${name}`)).body.desired
  const asked = await (await form('action=stop&filter=search%3Dacme&everything=true&instances=beta')).text()
  assert.match(asked, /Stop 1 instance\?/)
  assert.match(asked, /name="instances" value="acme"/)
  const shown = await (await form('action=stop&filter=&instances=acme&instances=beta')).text()
  assert.match(shown, /Stop 2 instances\?/)
  assert.match(shown, /Each finishes its current runs first/)
  assert.match(shown, /name="instances" value="beta"/)
  assert.equal(await status('acme'), 'running')
  const done = await form('action=stop&instances=acme&confirmed=true')
  assert.match(await done.text(), /Stop: begun for 1/)
  assert.deepEqual([await status('acme'), await status('beta')], ['stopped', 'running'])
})
