import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { DriverError } from '../driver.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

const state = async (fleet: TestFleet) => (await fleet.admin('GET', '/admin/instances/acme')).body
/** Whether the instance itself answered, with whatever status. */
const reached = async (fleet: TestFleet) => {
  const { headers } = await fleet.visit('acme')
  return headers['content-type'] === 'application/json' && headers['retry-after'] === undefined
}

test('an instance with a failing check is shown as unhealthy, and stays reachable', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  fleet.behave('acme', 'full')
  await eventually('it is unhealthy', async () => (await state(fleet)).status === 'unhealthy')
  const { status_reason, reachable } = await state(fleet)
  assert.equal(status_reason, 'it answers, and its checks fail: disk: the disk is full')
  assert.equal(reachable, true)
  assert.equal((await fleet.visit('acme')).status, 200)

  fleet.behave('acme', 'hang')
  await eventually('what does not answer is not routed', async () => !(await state(fleet)).reachable)
  assert.equal((await fleet.visit('acme')).headers['retry-after'], '10')
  fleet.behave('acme', 'full')
  await eventually('what answers again is routed again', async () => (await state(fleet)).reachable)
  fleet.behave('acme', 'impostor')
  await eventually('another that answers is not routed', async () => !(await state(fleet)).reachable)
  fleet.behave('acme', 'well')
  await eventually('it runs', async () => (await state(fleet)).status === 'running')
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('an instance that starts with a failing check is left running, and its owner can sign in', async t => {
  const fleet = await testFleet(t, { env: { PROVISIONER_DEADLINE: '2s' } })
  await fleet.provision('acme')
  fleet.behave('acme', 'full')
  const restarted = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.deepEqual([restarted.body.operation?.status, restarted.body.status], ['failed', 'unhealthy'])
  assert.match(
    restarted.body.status_reason ?? '',
    /not healthy within 2 s: it answers, and its checks fail: disk/,
  )
  await eventually('it is reachable', async () => (await fleet.visit('acme')).status === 200)
  fleet.behave('acme', 'well')
  await eventually('it runs', async () => (await state(fleet)).status === 'running')
})

test('an instance that answers as itself is routed although its operation was interrupted', async t => {
  // The engine goes when the container is to be stopped: what comes before that leaves the instance as it was.
  let goes = false
  let away = false
  const cut = () => {
    if (away) throw new DriverError('the engine does not answer', { permanent: false })
  }
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      outlivesControlPlane: true,
      stop: async (ref, graceMs) => {
        away = goes
        cut()
        await real.stop(ref, graceMs)
      },
      inspect: async ref => {
        cut()
        return await real.inspect(ref)
      },
    }),
  })
  await fleet.provision('acme')
  goes = true
  const failed = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.equal(failed.body.operation?.status, 'failed')
  assert.equal((await fleet.visit('acme')).status, 200, 'during the outage, too')
  away = false
  await fleet.program.runOnce('provisioner:reconcile')
  assert.equal((await fleet.visit('acme')).status, 200)
  assert.equal((await state(fleet)).status, 'failed', 'the retry is still to come')
  assert.equal((await state(fleet)).reachable, true)

  // An operator's wish closes it all the same.
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  assert.equal((await state(fleet)).reachable, false)
  assert.equal(await reached(fleet), false)
  goes = false
  away = false
})

test('an instance that answers as itself is routed while its retry waits for the engine', async t => {
  let away = false
  const back = Promise.withResolvers<null>()
  t.after(() => back.resolve(null))
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      stop: async (ref, graceMs) => {
        if (away) throw new DriverError('the engine does not answer', { permanent: false })
        await real.stop(ref, graceMs)
      },
      prepareImage: async () => (away ? await back.promise : null),
      prepareSuccessor: async () => {
        away = true
      },
    }),
  })
  await fleet.provision('acme')
  await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.deepEqual([(await state(fleet)).status, (await state(fleet)).reachable], ['failed', true])
  await fleet.admin('POST', '/admin/instances/acme/start')
  await eventually('the retry waits', async () => {
    const step = (await state(fleet)).operation?.steps.find(({ status }) => status === 'running')
    return step?.name === 'prepare image'
  })
  assert.equal((await fleet.visit('acme')).status, 200)
  assert.equal((await state(fleet)).reachable, true)
  away = false
  back.resolve(null)
  await eventually('it runs', async () => (await state(fleet)).status === 'running')
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('an instance whose address was lost with an interrupted operation is located again before the retry', async t => {
  let away = false
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareVolume: async spec => {
        if (away) throw new DriverError('the engine does not answer', { permanent: false })
        await real.prepareVolume(spec)
      },
    }),
  })
  const { body } = await fleet.provision('acme')
  away = true
  const failed = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.deepEqual([failed.body.status, failed.body.reachable], ['failed', false])
  assert.equal(failed.body.id, body.id)
  // A person starts the container by hand.
  await fleet.driver.start({ id: body.id, subdomain: 'acme' })
  await fleet.program.runOnce('provisioner:reconcile')
  await eventually('it is reachable', async () => (await fleet.visit('acme')).status === 200)
  assert.equal((await state(fleet)).status, 'failed')
})

test('an instance that answers as itself is routed while its operation is still in progress', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  fleet.behave('acme', 'full')
  // The new container answers at once, and the operation waits for its checks.
  await fleet.admin('POST', '/admin/instances/acme/restart')
  await eventually('the new container answers', async () => {
    const { operation, reachable, status } = await state(fleet)
    const step = operation?.steps.find(each => each.status === 'running')
    return step?.name === 'wait until healthy' && reachable && status === 'provisioning'
  })
  assert.equal((await fleet.visit('acme')).status, 200)
  fleet.behave('acme', 'impostor')
  await eventually('another that answers is not routed', async () => !(await state(fleet)).reachable)
  assert.equal((await state(fleet)).status, 'provisioning')
  fleet.behave('acme', 'well')
  await eventually('it runs', async () => (await state(fleet)).status === 'running')
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('the old container is routed while the steps of a start wait', async t => {
  let away = false
  const back = Promise.withResolvers<void>()
  t.after(() => back.resolve())
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareVolume: async spec => {
        if (away) await back.promise
        await real.prepareVolume(spec)
      },
    }),
  })
  await fleet.provision('acme')
  fleet.behave('acme', 'full')
  await eventually('it is unhealthy', async () => (await state(fleet)).status === 'unhealthy')
  away = true
  await fleet.admin('POST', '/admin/instances/acme/start')
  await eventually('the start waits', async () => {
    const step = (await state(fleet)).operation?.steps.find(({ status }) => status === 'running')
    return step?.name === 'prepare volume'
  })
  assert.deepEqual([(await state(fleet)).status, (await state(fleet)).reachable], ['provisioning', true])
  assert.equal((await fleet.visit('acme')).status, 200)
  fleet.behave('acme', 'well')
  back.resolve()
  await eventually('it runs', async () => (await state(fleet)).status === 'running')
})

test('a request for an instance that is starting waits until it is ready', async t => {
  const fleet = await testFleet(t, { env: { ROUTER_HOLD_TIMEOUT: '60s' } })
  await fleet.provision('acme')
  fleet.behave('acme', 'starting')
  await fleet.admin('POST', '/admin/instances/acme/restart')
  const looks = () => statSync(join(fleet.root, 'acme', 'looks')).size
  await eventually('it waits until it is healthy', async () => {
    const step = (await state(fleet)).operation?.steps.find(({ status }) => status === 'running')
    return step?.name === 'wait until healthy'
  })
  const before = looks()
  const visit = fleet.visit('acme')
  await eventually('it was looked at again', () => looks() >= before + 3)
  const { status, reachable } = await state(fleet)
  assert.deepEqual([status, reachable], ['provisioning', false])
  fleet.behave('acme', 'well')
  assert.equal((await visit).status, 200)
})
