import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { DriverError } from '../driver.ts'
import { testFleet } from '../fleet.fixture.ts'

test('an upgrade to a missing image fails, and the instance keeps running with the one it has', async t => {
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      usesImages: true,
      prepareImage: async ({ image }) => {
        if (image === 'nowhere:9') throw new DriverError('there is no image nowhere:9', { permanent: true })
        return null
      },
    }),
  })
  const before = await fleet.provision('acme')
  const failed = await fleet.admin('POST', '/admin/instances/acme/upgrade', {
    body: { image: 'nowhere:9' },
    wait: 60,
  })
  assert.equal(failed.body.operation?.status, 'failed')
  assert.match(failed.body.operation?.error ?? '', /there is no image nowhere:9/)
  assert.deepEqual([failed.body.status, failed.body.image], ['running', before.body.image])
  assert.equal((await fleet.visit('acme')).status, 200)

  const good = await fleet.admin('POST', '/admin/instances/acme/upgrade', {
    body: { image: 'there:2' },
    wait: 60,
  })
  assert.deepEqual(
    [good.body.status, good.body.image, good.body.operation?.status],
    ['running', 'there:2', 'succeeded'],
  )
})

test('a purge that fails is retried until the volume is gone', async t => {
  let refusals = 1
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      remove: async ref => {
        if (refusals-- > 0) throw new DriverError('the engine is busy', { permanent: false })
        await real.remove(ref)
      },
    }),
  })
  await fleet.provision('acme')
  const failed = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal(failed.body.status, 'failed')
  assert.equal((await fleet.visit('acme')).status, 404)
  assert.equal((await fleet.provision('acme')).status, 409, 'nobody gets a volume that is to go')
  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).status, 404)
  assert.equal(existsSync(join(fleet.root, 'acme')), false)
})

test('a process that neither listens nor ends times out, and stopping does not wait for it', async t => {
  const fleet = await testFleet(t, { listenWithinMs: 1500 })
  fleet.behave('deaf', 'deaf')
  const failed = await fleet.provision('deaf')
  assert.equal(failed.body.status, 'failed')
  assert.match(failed.body.status_reason ?? '', /did not listen within 1\.5 s/)
  await fleet.admin('POST', '/admin/instances/deaf/start')
  await fleet.program.stop()
})

test('a restart right after provisioning still creates the volume', async t => {
  const fleet = await testFleet(t)
  await fleet.admin('POST', '/admin/instances', { body: { subdomain: 'acme', owner_email: 'a@example.com' } })
  const restarted = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.equal(restarted.body.status, 'running', restarted.body.status_reason ?? '')
})

test('an instance that hangs delays no health check of another', async t => {
  const fleet = await testFleet(t, { env: { HEALTH_INTERVAL: '100ms', HEALTH_TIMEOUT: '1m' } })
  await fleet.provision('sound')
  await fleet.provision('hung')
  fleet.behave('hung', 'hang')
  const looks = (name: string) => statSync(join(fleet.root, name, 'looks')).size
  const hung = looks('hung')
  await eventually('a look hangs', () => looks('hung') > hung)
  const before = looks('sound')
  await eventually('ten more looks at the other', () => looks('sound') >= before + 10)
  assert.ok(looks('hung') <= hung + 1, 'and one at a time at the one that hangs')
})

test('a running instance is unhealthy after three failed health checks, not after one or two', async t => {
  const fleet = await testFleet(t, { env: { HEALTH_INTERVAL: '1h' } })
  const { body } = await fleet.provision('acme')
  const provisioner = fleet.program.services.provisioner
  const seen = { healthy: false as const, at: Date.now(), answers: false, reason: 'it was slow' }
  for (const expected of ['running', 'running', 'unhealthy']) {
    provisioner?.recordHealth(body.id, seen)
    assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.status, expected)
  }
})

test('an operation that keeps failing is retried less and less often', async t => {
  const fleet = await testFleet(t)
  fleet.behave('acme', 'crash')
  await fleet.provision('acme')
  const boots = () =>
    readFileSync(join(fleet.root, 'acme', 'boots'), 'utf8')
      .trim()
      .split('\n').length
  const before = boots()
  for (let i = 0; i < 5; i++) await fleet.program.runOnce('provisioner:reconcile')
  assert.equal(boots(), before, 'half a minute has not passed')
})

test('/health answers 503 with the failing check', async t => {
  let reachable = true
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      ping: async () => {
        if (!reachable)
          throw new DriverError('the engine does not answer', { permanent: false, transient: true })
      },
    }),
  })
  const health = () => fleet.admin<{ status: string; checks: Record<string, unknown> }>('GET', '/health')
  assert.deepEqual([(await health()).status, (await health()).body.status], [200, 'ok'])
  reachable = false
  const failing = await health()
  assert.deepEqual([failing.status, failing.body.status], [503, 'failing'])
  assert.deepEqual(failing.body.checks.driver, { status: 'failing', reason: 'the engine does not answer' })
})

test('old operations are deleted; the newest and the open ones are kept', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  const first = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  for (let i = 0; i < 51; i++)
    await fleet.admin('POST', `/admin/instances/acme/${i % 2 ? 'start' : 'stop'}`, { wait: 60 })
  await fleet.program.runOnce('provisioner:prune-operations')
  assert.equal((await fleet.admin('GET', `/admin/operations/${first.body.operation?.id}`)).status, 404)
  const { body } = await fleet.admin('GET', '/admin/instances/acme')
  assert.equal(body.operation?.steps.length, 2)
  rmSync(join(fleet.root, 'acme', 'behave'), { force: true })
})

test('what an instance wrote is quoted in the error of its operation without secrets, and without what acts on a terminal', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  await fleet.admin('POST', '/admin/instances/acme/environment', {
    body: { name: 'GREETING', value: 'a-word-for-friends', secret: true },
    wait: 60,
  })
  writeFileSync(join(fleet.root, 'acme/speak'), `\x1b[2Jand ${'x'.repeat(5000)}`)
  for (const mood of ['crash-at-once', 'crash-later']) {
    fleet.behave('acme', mood)
    const { body } = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
    const error = body.operation?.error ?? ''
    assert.equal(body.operation?.status, 'failed', mood)
    assert.match(
      error,
      /Its last lines:\nhello, \*\*\*\n\uFFFD\[2Jand x{1900,1999}…\nthe key is \*\*\*/,
      mood,
    )
    assert.deepEqual(body.status_reason, error.replace(/^[a-z ]+: /, ''), mood)
  }
})
