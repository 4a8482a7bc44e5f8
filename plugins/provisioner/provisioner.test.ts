import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { testFleet } from './fleet.fixture.ts'

interface Problem {
  status: number
  detail: string
  errors?: { path: string; message: string }[]
}

test('provisioning answers 202 with Location and the password, and leads to a running instance', async t => {
  const fleet = await testFleet(t)
  const accepted = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'ada@example.com' },
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(accepted.status, 202)
  assert.match(accepted.headers.get('location') ?? '', /^\/admin\/operations\/op_/)
  assert.match(accepted.body.password ?? '', /^\w{5}(-\w{5}){3}$/)
  assert.match(accepted.body.id, /^inst_/)
  assert.equal(accepted.body.url, `http://acme.localhost:${fleet.port}`)

  const running = await eventually('running', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/acme')
    return body.status === 'running' && body
  })
  assert.equal(running.password, undefined)
  assert.equal(running.desired, 'running')
  assert.equal(running.operation?.status, 'succeeded')
  assert.deepEqual(
    running.operation?.steps.map(step => step.status),
    ['done', 'done', 'done', 'done', 'done'],
  )
  assert.match(running.last_health_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const operation = await fleet.admin<{ kind: string }>('GET', accepted.headers.get('location') ?? '')
  assert.equal(operation.body.kind, 'provision')
  assert.equal((await fleet.visit('acme', '/hello')).status, 200)
  assert.ok(
    !readFileSync(join(fleet.root, '.control', 'longhouse.db')).includes(accepted.body.password ?? ''),
  )
})

test('with Prefer: wait, the answer comes when the operation is done', async t => {
  const fleet = await testFleet(t)
  const created = await fleet.provision('acme')
  assert.equal(created.status, 201)
  assert.equal(created.body.status, 'running')
  assert.equal(created.headers.get('preference-applied'), 'wait=60')
  assert.ok(created.body.password)
  const stopped = await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  assert.deepEqual([stopped.status, stopped.body.status, stopped.body.desired], [200, 'stopped', 'stopped'])
})

test('bad input is refused with the field and the rule, and creates nothing', async t => {
  const fleet = await testFleet(t)
  const bad: [Record<string, unknown>, string][] = [
    [{ owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'ab', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'a'.repeat(64), owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'Acme', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'ac_me', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'ac.me', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: '../etc', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: '-acme', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'acme-', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'xn--bcher-kva', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 'acme\n', owner_email: 'ada@example.com' }, 'subdomain'],
    [{ subdomain: 42, owner_email: 'ada@example.com' }, 'subdomain'],
    ...['control', 'www', 'api', 'admin', 'mail'].map((subdomain): [Record<string, unknown>, string] => [
      { subdomain, owner_email: 'ada@example.com' },
      'subdomain',
    ]),
    [{ subdomain: 'acme' }, 'owner_email'],
    [{ subdomain: 'acme', owner_email: 'ada' }, 'owner_email'],
    [{ subdomain: 'acme', owner_email: 'ada@example.com', image: '--privileged' }, 'image'],
  ]
  for (const [body, field] of bad) {
    const { status, body: problem } = await fleet.admin<Problem>('POST', '/admin/instances', { body })
    assert.equal(status, 422, JSON.stringify(body))
    assert.deepEqual(
      problem.errors?.map(error => error.path),
      [field],
      JSON.stringify(body),
    )
    assert.ok((problem.errors?.[0]?.message.length ?? 0) > 10)
  }
  const { body } = await fleet.admin<{ instances: unknown[] }>('GET', '/admin/instances')
  assert.deepEqual(body.instances, [])
  assert.equal((await fleet.provision('acme')).status, 201)
})

test('a stranger is refused on every route that admits the operator', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  const doors: [string, string][] = [
    ['GET', '/admin/instances'],
    ['POST', '/admin/instances'],
    ['GET', '/admin/instances/acme'],
    ['POST', '/admin/instances/acme/restart'],
    ['POST', '/admin/instances/acme/stop'],
    ['POST', '/admin/instances/acme/start'],
    ['POST', '/admin/instances/acme/upgrade'],
    ['POST', '/admin/instances/acme/deprovision'],
    ['POST', '/admin/instances/acme/purge'],
    ['DELETE', '/admin/instances/acme'],
    ['DELETE', '/admin/instances/acme?purge=true'],
  ]
  for (const [method, path] of doors) {
    const none = await fleet.admin(method, path, { headers: { Authorization: '' } })
    assert.equal(none.status, 401, `${method} ${path}`)
  }
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.status, 'running')
  assert.equal((await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })).body.status, 'deleted')
})

test('a name that is taken is refused to everyone', async t => {
  const fleet = await testFleet(t)
  const first = await fleet.provision('acme')
  for (const owner of ['ada@example.com', 'eve@example.com']) {
    const again = await fleet.provision('acme', owner)
    assert.equal(again.status, 409)
  }
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.id, first.body.id)
})

test('deprovisioning keeps the volume for the owner; only a purge deletes it and frees the name', async t => {
  const fleet = await testFleet(t)
  const first = await fleet.provision('acme')
  writeFileSync(join(fleet.root, 'acme', 'precious'), 'data')
  const gone = await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.deepEqual([gone.status, gone.body.status, gone.body.desired], [200, 'deleted', 'deleted'])
  assert.equal((await fleet.visit('acme')).status, 404)
  assert.equal(readFileSync(join(fleet.root, 'acme', 'precious'), 'utf8'), 'data')
  assert.equal((await fleet.admin('DELETE', '/admin/instances/acme')).status, 200)
  assert.equal((await fleet.admin('POST', '/admin/instances/acme/start')).status, 409)

  const stranger = await fleet.provision('acme', 'eve@example.com')
  assert.equal(stranger.status, 409)
  assert.equal(existsSync(join(fleet.root, 'acme', 'precious')), true)

  const back = await fleet.provision('acme', 'Ada@Example.com')
  assert.equal(back.status, 201)
  assert.equal(back.body.id, first.body.id)
  assert.notEqual(back.body.password, first.body.password)
  assert.equal(readFileSync(join(fleet.root, 'acme', 'precious'), 'utf8'), 'data')

  const purged = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(purged.body.status, 'deleted')
  assert.equal(existsSync(join(fleet.root, 'acme')), false)
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).status, 404)
  const next = await fleet.provision('acme', 'eve@example.com')
  assert.equal(next.status, 201)
  assert.notEqual(next.body.id, first.body.id)
})

test('an unknown instance is a 404 for every operation', async t => {
  const fleet = await testFleet(t)
  for (const [method, path] of [
    ['GET', '/admin/instances/nobody'],
    ['POST', '/admin/instances/nobody/start'],
    ['DELETE', '/admin/instances/nobody'],
    ['DELETE', '/admin/instances/nobody?purge=true'],
    ['GET', '/admin/operations/op_nothing'],
  ] as const) {
    assert.equal((await fleet.admin(method, path)).status, 404, `${method} ${path}`)
  }
  await fleet.provision('acme')
  assert.equal((await fleet.admin('DELETE', '/admin/instances/acme?purge=yes')).status, 422)
  assert.equal(
    (await fleet.admin('POST', '/admin/instances/acme/purge', { body: { confirm: 'ACME' } })).status,
    422,
  )
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.status, 'running')
})

test('a folder that was filled beforehand becomes the volume; a used volume only with `adopt`', async t => {
  const fleet = await testFleet(t)
  mkdirSync(join(fleet.root, 'fresh', 'jobs'), { recursive: true })
  writeFileSync(join(fleet.root, 'fresh', 'jobs', 'manifest.ts'), '// mine')
  assert.equal((await fleet.provision('fresh')).status, 201)
  assert.equal(readFileSync(join(fleet.root, 'fresh', 'jobs', 'manifest.ts'), 'utf8'), '// mine')

  mkdirSync(join(fleet.root, 'lived'))
  writeFileSync(join(fleet.root, 'lived', 'longhouse.db'), 'a life')
  const refused = await fleet.admin<Problem>('POST', '/admin/instances', {
    body: { subdomain: 'lived', owner_email: 'eve@example.com' },
  })
  assert.equal(refused.status, 409)
  assert.equal(refused.body.errors?.[0]?.path, 'adopt')
  const adopted = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'lived', owner_email: 'eve@example.com', adopt: true },
    wait: 60,
  })
  assert.equal(adopted.status, 201)
  assert.equal(readFileSync(join(fleet.root, 'lived', 'longhouse.db'), 'utf8'), 'a life')

  const elsewhere = temporaryFolder(t)
  symlinkSync(elsewhere, join(fleet.root, 'linked'))
  const linked = await fleet.provision('linked')
  assert.equal(linked.body.status, 'failed')
  assert.match(linked.body.status_reason ?? '', /is not a folder/)
})

test('an instance that cannot start fails with its last lines, keeps its volume, and starts once it is fixed', async t => {
  const fleet = await testFleet(t)
  fleet.behave('acme', 'crash')
  const failed = await fleet.provision('acme')
  assert.equal(failed.status, 201)
  assert.equal(failed.body.status, 'failed')
  assert.match(failed.body.status_reason ?? '', /line one of the disaster\nline two of the disaster/)
  assert.equal(failed.body.operation?.steps.find(step => step.status === 'failed')?.name, 'start container')
  assert.equal((await fleet.visit('acme', '/', { Accept: 'text/html' })).status, 503)
  fleet.behave('acme', 'well')
  const started = await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal(started.body.status, 'running')
})

test('an instance that does not become healthy in time fails with the reason', async t => {
  const fleet = await testFleet(t, { env: { PROVISIONER_DEADLINE: '6s', HEALTH_TIMEOUT: '1s' } })
  const moods = [
    ['hang', /did not answer within 1000 ms/],
    ['impostor', /another instance answers/],
    ['crash-later', /ended before it was healthy/],
  ] as const
  const sound = fleet.provision('sound')
  fleet.behave('sick', 'sick')
  const sick = fleet.provision('sick')
  for (const [mood] of moods) fleet.behave(mood, mood)
  const all = await Promise.all(moods.map(([mood]) => fleet.provision(mood)))
  for (const [index, [mood, words]] of moods.entries()) {
    assert.equal(all[index]?.body.status, 'failed', mood)
    assert.match(all[index]?.body.status_reason ?? '', words)
  }
  assert.equal((await sound).body.status, 'running')
  // It answers as itself: it is left running, and reachable.
  assert.equal((await sick).body.status, 'unhealthy')
  assert.match((await sick).body.status_reason ?? '', /answered 503/)
})

test('an instance that fails its checks is unhealthy until it recovers, and one that hangs delays no other', async t => {
  const fleet = await testFleet(t, { env: { HEALTH_TIMEOUT: '1s' } })
  const names = ['one', 'two', 'three', 'four'].map(name => `${name}-x`)
  await Promise.all(names.map(name => fleet.provision(name)))
  const status = async (name: string) => (await fleet.admin('GET', `/admin/instances/${name}`)).body
  fleet.behave('one-x', 'hang')
  fleet.behave('two-x', 'sick')
  await eventually('both are unhealthy', async () => {
    return (await status('one-x')).status === 'unhealthy' && (await status('two-x')).status === 'unhealthy'
  })
  const before = (await status('three-x')).last_health_at ?? ''
  await eventually(
    'others are still looked at',
    async () => ((await status('three-x')).last_health_at ?? '') > before,
  )
  assert.equal((await fleet.visit('one-x')).status, 503)
  assert.equal((await fleet.visit('three-x')).status, 200)
  fleet.behave('one-x', 'well')
  fleet.behave('two-x', 'well')
  await eventually('both run again', async () => {
    return (await status('one-x')).status === 'running' && (await status('two-x')).status === 'running'
  })
})

test('an instance that was killed comes back by itself', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  const boots = () =>
    readFileSync(join(fleet.root, 'acme', 'boots'), 'utf8')
      .trim()
      .split('\n')
  process.kill(Number(boots()[0]), 'SIGKILL')
  await eventually('a second boot', () => boots().length === 2)
  await eventually('running', async () => (await fleet.visit('acme')).status === 200)
})

test('twenty instances provisioned at once all run', async t => {
  const fleet = await testFleet(t)
  const names = Array.from({ length: 20 }, (_, i) => `box-${i}`)
  const created = await Promise.all(names.map(name => fleet.provision(name)))
  assert.deepEqual(new Set(created.map(({ body }) => body.status)), new Set(['running']))
})
