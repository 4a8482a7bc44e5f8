import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { type Driver, DriverError, type InstanceSpec } from '../driver.ts'
import { testFleet } from '../fleet.fixture.ts'

/** Real processes that are said to be made from images; which image a name means, the test decides. */
async function imageFleet(
  t: TestContext,
  change: (driver: Driver) => Partial<Driver> = () => ({}),
  clock: Clock = systemClock,
) {
  const images = new Map([['longhouse-runtime:latest', 'sha256:one']])
  const made: (string | null)[] = []
  const fleet = await testFleet(t, {
    clock,
    driver: real => {
      const driver: Driver = {
        ...real,
        usesImages: true,
        prepareImage: async ({ image, imageId }) => {
          const id = imageId ?? images.get(image)
          if (!id) throw new DriverError(`there is no image ${image}`, { permanent: true })
          return id
        },
        create: async spec => {
          made.push(spec.imageId)
          await real.create(spec)
        },
      }
      return { ...driver, ...change(driver) }
    },
  })
  const boots = () =>
    readFileSync(join(fleet.root, 'acme', 'boots'), 'utf8')
      .trim()
      .split('\n').length
  const ask = (verb: string, body?: object) =>
    fleet.admin('POST', `/admin/instances/acme/${verb}`, { ...(body && { body }), wait: 60 })
  return { fleet, images, made, boots, ask }
}

test('a new image under the same name is used by an upgrade, and by nothing else', async t => {
  const { fleet, images, made, boots, ask } = await imageFleet(t)
  const { body } = await fleet.provision('acme')
  assert.equal(body.image_id, 'sha256:one')
  images.set('longhouse-runtime:latest', 'sha256:two')
  await ask('restart')
  await ask('stop')
  await ask('start')
  await ask('reset-password')
  assert.deepEqual([...new Set(made)], ['sha256:one'])

  const upgraded = await ask('upgrade')
  assert.deepEqual([upgraded.body.status, upgraded.body.image_id], ['running', 'sha256:two'])
  assert.equal(made.at(-1), 'sha256:two')

  // To the image that it has: nothing is stopped.
  const before = boots()
  const again = await ask('upgrade')
  assert.deepEqual([again.body.operation?.status, again.body.status], ['succeeded', 'running'])
  images.set('longhouse-runtime:1.2.3', 'sha256:two')
  const named = await ask('upgrade', { image: 'longhouse-runtime:1.2.3' })
  assert.deepEqual([named.body.image, named.body.image_id], ['longhouse-runtime:1.2.3', 'sha256:two'])
  assert.equal(boots(), before)
})

test('an upgrade leaves a stopped instance stopped, and its next start uses the image', async t => {
  const { fleet, images, made, boots, ask } = await imageFleet(t)
  await fleet.provision('acme')
  await ask('stop')
  images.set('longhouse-runtime:latest', 'sha256:two')
  const before = boots()
  const upgraded = await ask('upgrade')
  const { status, desired, image_id, operation } = upgraded.body
  assert.deepEqual(
    [status, desired, image_id, operation?.kind, operation?.status],
    ['stopped', 'stopped', 'sha256:two', 'upgrade', 'succeeded'],
  )
  for (let round = 0; round < 3; round++) await fleet.program.runOnce('provisioner:reconcile')
  assert.equal(boots(), before)
  const missing = await ask('upgrade', { image: 'nowhere:9' })
  assert.deepEqual(
    [missing.body.status, missing.body.image_id, missing.body.operation?.status],
    ['stopped', 'sha256:two', 'failed'],
  )
  assert.equal((await ask('start')).body.status, 'running')
  assert.equal(made.at(-1), 'sha256:two')
})

test('a change that cannot be made leaves the running container alone: no successor, no stop, no other image', async t => {
  const refusal = 'could not create longhouse-acme.next: Range of CPUs is from 0.01 to 2.00'
  let refuse = false
  const { fleet, images, boots, ask } = await imageFleet(t, () => ({
    prepareSuccessor: async (_: InstanceSpec) => {
      if (refuse) throw new DriverError(refusal, { permanent: true })
    },
  }))
  const { body } = await fleet.provision('acme')
  refuse = true
  images.set('longhouse-runtime:latest', 'sha256:two')
  fleet.program.services.provisioner?.limit(body.id, { memoryBytes: 1024 ** 3, cpus: 64 })
  for (const verb of ['restart', 'upgrade']) {
    const failed = await ask(verb)
    assert.equal(failed.body.operation?.status, 'failed', verb)
    assert.match(failed.body.operation?.error ?? '', /prepare successor: .*Range of CPUs/)
    assert.deepEqual([failed.body.status, failed.body.image_id], ['running', 'sha256:one'])
  }
  assert.equal(boots(), 1)
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('an instance whose changed settings could not be applied is marked as outdated until they are', async t => {
  let refuse = false
  const { fleet, ask } = await imageFleet(t, () => ({
    prepareSuccessor: async (_: InstanceSpec) => {
      if (refuse) throw new DriverError('the engine does not answer', { permanent: false })
    },
  }))
  const { body } = await fleet.provision('acme')
  assert.equal(body.outdated, false)
  refuse = true
  fleet.program.services.provisioner?.limit(body.id, { memoryBytes: 1024 ** 3, cpus: 1 })
  await eventually('the limits did not come', async () => {
    const { body: now } = await fleet.admin('GET', '/admin/instances/acme')
    return now.operation?.status === 'failed' && now.status === 'running' && now.outdated
  })
  refuse = false
  const restarted = await ask('restart')
  assert.deepEqual([restarted.body.status, restarted.body.outdated], ['running', false])
})

test('a new password or owner ends access with the old password at once, and is retried until it is applied', async t => {
  let away = false
  const clock = setClock()
  const driver = () => ({
    prepareImage: async () => {
      if (away) throw new DriverError('the engine does not answer', { permanent: false })
      return 'sha256:one'
    },
  })
  const { fleet, ask } = await imageFleet(t, driver, clock)
  await fleet.provision('acme')
  for (const [verb, body] of [
    ['reset-password', {}],
    ['transfer', { owner_email: 'eve@example.com' }],
  ] as const) {
    away = true
    const failed = await ask(verb, body)
    assert.deepEqual([failed.body.status, failed.body.operation?.status], ['failed', 'failed'], verb)
    assert.notEqual((await fleet.visit('acme')).status, 200, `${verb}: nothing answers with the old password`)
    away = false
    clock.advance(60_000)
    await eventually(`${verb} is retried`, async () => {
      await fleet.program.runOnce('provisioner:reconcile')
      const { body: now } = await fleet.admin('GET', '/admin/instances/acme')
      return now.status === 'running' && !now.outdated
    })
  }
})
