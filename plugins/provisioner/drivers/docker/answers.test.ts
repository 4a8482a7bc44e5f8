import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { identityFile } from '../../../../src/storage/volume-identity.ts'
import { DriverError } from '../../driver.ts'
import { testFleet } from '../../fleet.fixture.ts'
import { dockerAvailable } from './docker.ts'
import { cutOff, fakeEngine, listed, noSuchContainer, says } from './fake.fixture.ts'
import { driverAt, name, ref, spec } from './fake-driver.fixture.ts'
import { lastLines } from './testbed.fixture.ts'

/** What is neither a container nor the engine's word that there is none. */
const odd: Record<string, string> = {
  'half its JSON': says(200, '[{"Id":"cccc","Names":["/longhouse-a'),
  'a page of a proxy': says(200, '<html><body>Welcome</body></html>'),
  nothing: says(200, ''),
  'no content': says(204, ''),
  null: says(200, 'null'),
  'another JSON': says(200, { hello: 'world' }),
  'containers without a state': says(200, [{ Id: 'c', Names: ['/longhouse-acme'], ImageID: 'x' }]),
  "a proxy's 404": says(404, '<html>404 Not Found</html>'),
  "a 404 without the engine's words": says(404, { error: 'not found' }),
  'a 404 for the path': says(404, { message: 'page not found' }),
  'a 404 for another container': says(404, { message: 'No such container: longhouse-other' }),
  "a proxy's 502": says(502, '<html>Bad Gateway</html>'),
  'a redirect': says(302, ''),
  'a failure': says(500, { message: 'database is locked' }),
  'half a body': cutOff(200, '[]'),
  'half a 404': cutOff(404, JSON.stringify({ message: `No such container: ${name}` })),
}

suite('an answer that cannot be read is an error, and never "there is nothing"', () => {
  for (const [what, bytes] of Object.entries(odd)) {
    test(what, async t => {
      const engine = await fakeEngine(t, () => bytes)
      const driver = driverAt(engine.socketPath)
      t.after(() => driver.close())
      const calls = {
        inspect: () => driver.inspect(ref),
        stop: () => driver.stop(ref, 0),
        remove: () => driver.remove(ref),
        start: () => driver.start(ref),
        log: () => lastLines(driver, ref, 5),
        refuseInUse: () => driver.refuseInUse(spec),
        existing: () => driver.existing('/volumes'),
        prepareImage: () => driver.prepareImage(spec),
        prepareSuccessor: () => driver.prepareSuccessor(spec),
        create: () => driver.create(spec),
        ping: () => driver.ping(),
        capacity: () =>
          what === 'another JSON'
            ? Promise.reject(new DriverError('', { permanent: false }))
            : driver.capacity(),
      }
      for (const [call, run] of Object.entries(calls)) {
        await assert.rejects(run, (error: DriverError) => {
          assert.ok(error instanceof DriverError, `${call}: ${error}`)
          assert.equal(error.permanent, false, call)
          return true
        })
      }
      assert.equal(await dockerAvailable(engine.socketPath), false)
      assert.ok(!engine.asked.some(asked => /^(POST|DELETE)/.test(asked)), String(engine.asked))
    })

    test(`${what}, where the list is good and the look by name is not`, async t => {
      const engine = await fakeEngine(t, asked => (asked === 'GET /containers/json' ? says(200, []) : bytes))
      const driver = driverAt(engine.socketPath)
      t.after(() => driver.close())
      await assert.rejects(driver.inspect(ref), DriverError)
      await assert.rejects(driver.remove(ref), DriverError)
    })

    test(`${what}, in answer to a command`, async t => {
      const engine = await fakeEngine(t, (asked, query) => {
        if (asked === 'GET /containers/json') return says(200, [listed(ref)])
        if (asked.startsWith('GET '))
          return says(200, { Config: { StopTimeout: 1 }, query: [...query.keys()] })
        // The one answer of these that a command may have.
        return what === 'no content' ? says(200, '<html>done</html>') : bytes
      })
      const driver = driverAt(engine.socketPath)
      t.after(() => driver.close())
      for (const run of [() => driver.stop(ref, 0), () => driver.remove(ref), () => driver.start(ref)])
        await assert.rejects(run, DriverError)
    })
  }

  test('an engine that hangs is given up, in words, and may be asked again', async t => {
    const engine = await fakeEngine(t, () => null)
    const driver = driverAt(engine.socketPath, 50)
    t.after(() => driver.close())
    const calls = [
      () => driver.inspect(ref),
      () => driver.stop(ref, 0),
      () => driver.remove(ref),
      () => driver.start(ref),
      () => driver.create(spec),
      () => driver.prepareImage(spec),
      () => driver.refuseInUse(spec),
      () => lastLines(driver, ref, 5),
    ]
    const isGivenUp = (error: DriverError) => {
      assert.match(error.message, /does not answer \(it gave no answer within 0\.05 s/)
      return error.transient && !error.permanent
    }
    for (const call of calls) await assert.rejects(call, isGivenUp)
    // A command may have been carried out: only another look tells.
    const inspected = JSON.stringify({ Config: { StopTimeout: 1 } })
    engine.now = asked =>
      asked === 'GET /containers/json'
        ? says(200, [listed(ref)])
        : asked.startsWith('GET ')
          ? says(200, inspected)
          : null
    await assert.rejects(driver.start(ref), isGivenUp)
    await assert.rejects(driver.stop(ref, 0), isGivenUp)
  })

  test('the error quotes the answer and says that nothing is known', async t => {
    const engine = await fakeEngine(t, () => odd['a page of a proxy'] ?? '')
    const driver = driverAt(engine.socketPath)
    t.after(() => driver.close())
    await assert.rejects(
      driver.inspect(ref),
      /cannot be read \(HTTP 200, beginning with "<html><body>Welcome/,
    )
    engine.now = () => cutOff(200, '[')
    await assert.rejects(driver.inspect(ref), /broke off \(its answer was cut off in the middle\)/)
  })
})

test('a container is absent when the engine says so twice, by label and by name', async t => {
  const engine = await fakeEngine(t, asked =>
    asked === 'GET /containers/json' ? says(200, []) : noSuchContainer(name),
  )
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  assert.deepEqual(await driver.inspect(ref), { state: 'absent', address: null, imageId: null })
  await driver.remove(ref)
  await driver.refuseInUse(spec)
  // Podman's words.
  engine.now = asked =>
    asked === 'GET /containers/json'
      ? says(200, [])
      : says(404, {
          cause: 'no such container',
          message: `no container with name or ID "${name}" found: no such container`,
          response: 404,
        })
  assert.equal((await driver.inspect(ref)).state, 'absent')
})

test('an engine that lists no container and then shows it contradicts itself: an error', async t => {
  const engine = await fakeEngine(t, asked =>
    asked === 'GET /containers/json'
      ? says(200, [])
      : says(200, { Id: 'c', Name: `/${name}`, Config: { Labels: { 'longhouse.instance': ref.id } } }),
  )
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  await assert.rejects(driver.remove(ref), /whether it is there is unknown/)
})

test('a container that is created between the two questions is found', async t => {
  let lists = 0
  const engine = await fakeEngine(t, asked =>
    asked === 'GET /containers/json'
      ? says(200, lists++ === 0 ? [] : [listed(ref)])
      : says(200, { Id: 'c', Name: `/${name}`, Config: { Labels: { 'longhouse.instance': ref.id } } }),
  )
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  assert.equal((await driver.inspect(ref)).state, 'running')
  assert.equal(lists, 2)
})

test('an engine that claims to have stopped or removed a container that still runs is not believed', async t => {
  const engine = await fakeEngine(t, asked => {
    if (asked === 'GET /containers/json') return says(200, [listed(ref)])
    return asked.startsWith('GET ') ? noSuchContainer('c'.repeat(64)) : says(204, '')
  })
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  await assert.rejects(driver.stop(ref, 0), /says that it stopped longhouse-acme, which is running/)
  await assert.rejects(driver.remove(ref), /says that it removed longhouse-acme, which is running/)
})

test('a volume is kept while any container runs on it, whatever its name', async t => {
  const users = [
    { Names: ['/longhouse-acme-old'], State: 'exited' },
    { Names: ['/debugging'], Labels: {}, State: 'paused' },
  ]
  const engine = await fakeEngine(t, () => says(200, []))
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  for (const user of users) {
    for (const Source of ['/volumes/acme', '/volumes/acme/jobs']) {
      engine.now = () => says(200, [listed(ref, { ...user, Mounts: [{ Source, Destination: '/data' }] })])
      await assert.rejects(driver.refuseInUse(spec), /the volume \/volumes\/acme is in use by the container/)
    }
  }
  engine.now = () =>
    says(200, [listed(ref, { Mounts: [{ Source: '/volumes/acme2' }, { Source: '/volumes' }] })])
  await driver.refuseInUse(spec)
})

test('a purge deletes nothing until the engine has said that the container is gone', async t => {
  const engine = await fakeEngine(t, () => says(200, '<html>'))
  const fleet = await testFleet(t, { driver: () => driverAt(engine.socketPath) })
  const volume = join(fleet.root, 'acme')
  const made = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'ada@example.com' },
  })
  const its = { id: made.body.id, subdomain: 'acme' }
  mkdirSync(volume, { recursive: true })
  writeFileSync(join(volume, identityFile), `${its.id}\n`)
  writeFileSync(join(volume, 'precious'), 'x')

  const purge = () => fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  const failed = await purge()
  assert.equal(failed.body.operation?.status, 'failed', JSON.stringify(failed.body))
  assert.match(failed.body.operation?.error ?? '', /cannot be read/)
  assert.ok(existsSync(join(volume, 'precious')))

  // The container is gone by its label and by its name; one of an older making still has the volume.
  const beneath = listed({ id: 'inst_old', subdomain: 'acme-old' }, { Mounts: [{ Source: volume }] })
  engine.now = (asked, query) => {
    if (asked !== 'GET /containers/json') return noSuchContainer(name)
    return says(200, query.get('filters')?.includes(its.id) ? [] : [beneath])
  }
  const refused = await purge()
  assert.match(
    refused.body.operation?.error ?? '',
    /is in use by the container longhouse-acme-old \(running\)/,
  )
  assert.ok(existsSync(join(volume, 'precious')))

  engine.now = asked => (asked === 'GET /containers/json' ? says(200, []) : noSuchContainer(name))
  await purge()
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).status, 404)
  assert.equal(existsSync(volume), false)
})
