import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { DriverError } from '../../driver.ts'
import { dockerAvailable } from './docker.ts'
import { answerOf, lastLines, skipReason, socketPath, testbed } from './testbed.fixture.ts'

const absent = { state: 'absent', address: null, imageId: null } as const

suite('containers on a Docker engine', { skip: await skipReason() }, async () => {
  const bed = await testbed()
  const { driver, docker } = bed

  test('an instance comes up, answers as itself, stops, starts again, and is removed', async () => {
    const spec = bed.spec('life')
    assert.deepEqual(await driver.inspect(spec), absent)
    assert.equal(await answerOf(await bed.up(spec)), spec.id)

    await driver.stop(spec, 5000)
    assert.equal((await driver.inspect(spec)).state, 'stopped')
    assert.equal(await answerOf(await bed.up(spec)), spec.id)

    await driver.remove(spec)
    assert.deepEqual(await driver.inspect(spec), absent)
  })

  test('every call may be repeated', async () => {
    const spec = bed.spec('twice')
    await bed.up(spec)
    const { Id } = await bed.container(spec).inspect()
    await bed.up(spec)
    assert.equal((await bed.container(spec).inspect()).Id, Id)
    await driver.stop(spec, 5000)
    await driver.stop(spec, 5000)
    await driver.remove(spec)
    await driver.remove(spec)
    await driver.stop(spec, 5000)
    assert.deepEqual(await lastLines(driver, spec, 10), [])
  })

  test('creating the same instance several times at once makes one container', async () => {
    const spec = bed.spec('race')
    await driver.prepareVolume(spec)
    await Promise.all(Array.from({ length: 4 }, () => driver.create(spec)))
    const label = `longhouse.instance=${spec.id}`
    assert.equal((await docker.listContainers({ all: true, filters: { label: [label] } })).length, 1)
  })

  test('another spec replaces the container and keeps the volume', async () => {
    const spec = bed.spec('replaced')
    await bed.up(spec)
    const before = await bed.container(spec).inspect()
    await writeFile(join(spec.volume, 'kept'), 'mine')

    const changed = { ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$bmV3' }
    await bed.up(changed)
    const now = await bed.container(spec).inspect()
    assert.notEqual(now.Id, before.Id)
    assert.ok(now.Config.Env.includes(`LONGHOUSE_PASSWORD=${changed.passwordHash}`))
    assert.equal((await bed.run(spec, 'cat', '/data/kept')).output, 'mine')
  })

  test('an image rebuilt under the same name makes a new container for an instance that is not pinned', async () => {
    const own = await testbed()
    const spec = own.spec('rebuilt')
    await own.up(spec)
    const before = await own.container(spec).inspect()
    const [repo = '', tag = ''] = spec.image.split(':')
    await own.container(spec).commit({ repo, tag, comment: 'rebuilt' })
    await own.up(spec)
    const now = await own.container(spec).inspect()
    assert.notEqual(now.Id, before.Id)
    assert.notEqual(now.Image, before.Image)
  })

  test('a container made by another program is left alone', async () => {
    const spec = bed.spec('foreign')
    await driver.prepareVolume(spec)
    const theirs = await docker.createContainer({ name: `longhouse-${spec.subdomain}`, Image: bed.image })
    await assert.rejects(driver.create(spec), (error: DriverError) => {
      assert.equal(error.permanent, true)
      assert.match(error.message, /was not made by Longhouse and is left alone/)
      return true
    })
    await driver.stop(spec, 1000)
    await driver.remove(spec)
    assert.deepEqual(await driver.inspect(spec), absent)
    assert.equal((await theirs.inspect()).Id, theirs.id)
  })

  test("another control plane's instance of the same name is left alone", async () => {
    const theirs = bed.spec('shared')
    const ours = { ...theirs, id: 'inst_ours', volume: join(bed.folder, 'elsewhere') }
    await bed.up(theirs)
    await driver.prepareVolume(ours)
    await assert.rejects(driver.create(ours), /belongs to another Longhouse/)
    await driver.stop(ours, 1000)
    await driver.remove(ours)
    assert.deepEqual(await driver.inspect(ours), absent)
    assert.equal((await driver.inspect(theirs)).state, 'running')
  })

  test('a container that a lost record left on the same volume is replaced', async () => {
    const lost = bed.spec('adopted')
    await bed.up(lost)
    const adopted = { ...lost, id: 'inst_adopted' }
    assert.equal(await answerOf(await bed.up(adopted)), adopted.id)
    assert.deepEqual(await driver.inspect(lost), absent)
  })

  test('a container that was removed by hand is made again', async () => {
    const spec = bed.spec('vanished')
    await bed.up(spec)
    await bed.container(spec).remove({ force: true })
    assert.equal((await driver.inspect(spec)).state, 'absent')
    await assert.rejects(driver.start(spec), /there is no container/)
    assert.equal(await answerOf(await bed.up(spec)), spec.id)
  })

  test('a removal in progress is waited for', async () => {
    const spec = bed.spec('leaving')
    await bed.up(spec)
    const removing = bed.container(spec).remove({ force: true })
    await driver.create({ ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$b3RoZXI' })
    await removing.catch(() => {})
    assert.equal((await driver.inspect(spec)).state, 'stopped')
  })

  test('an instance is attached again to a network that was recreated by hand', async () => {
    const own = await testbed()
    const spec = own.spec('rewired')
    await own.up(spec)
    await own.driver.stop(spec, 5000)
    await docker.getNetwork(own.network).remove()
    assert.equal(await answerOf(await own.up(spec)), spec.id)
  })

  test('the last lines of the log, of both streams, oldest first', async () => {
    const spec = bed.spec('log')
    await answerOf(await bed.up(spec))
    await driver.stop(spec, 5000)
    assert.deepEqual((await lastLines(driver, spec, 10)).toSorted(), ['to stderr', 'to stdout'])
    assert.equal((await lastLines(driver, spec, 1)).length, 1)
  })

  test('a missing image is named, with what to do', async () => {
    const spec = bed.spec('imageless', { image: 'longhouse-nowhere:1' })
    await assert.rejects(driver.prepareImage(spec), (error: DriverError) => {
      assert.equal(error.permanent, true)
      assert.match(error.message, /longhouse-nowhere:1 is not on this Docker engine; build it/)
      return true
    })
    const remote = bed.spec('imageless', { image: '127.0.0.1:1/longhouse/nowhere:1' })
    await assert.rejects(driver.prepareImage(remote), /127\.0\.0\.1:1\/longhouse\/nowhere:1/)
  })

  test('a volume that the engine does not see is reported in words', async () => {
    const spec = bed.spec('unseen')
    await assert.rejects(driver.create(spec), (error: DriverError) => {
      assert.equal(error.permanent, true)
      assert.match(error.message, /mounted at the same path inside and outside/)
      return true
    })
  })

  test('caddy-docker-proxy labels instead of a published port', async () => {
    const labelled = await testbed({ mode: 'labels' })
    const spec = labelled.spec('caddy')
    const url = await labelled.up(spec)
    assert.equal(await answerOf(url), spec.id)
    assert.match(url, /:8080$/)
    const { Config, HostConfig } = await labelled.container(spec).inspect()
    assert.equal(Config.Labels.caddy, `${spec.subdomain}.example.test`)
    assert.equal(Config.Labels['caddy.reverse_proxy'], '{{upstreams 8080}}')
    assert.deepEqual(HostConfig.PortBindings ?? {}, {})
  })

  test('labels for Traefik, or for both', async () => {
    const both = await testbed({ mode: 'labels', labelsFor: ['traefik', 'caddy'] })
    const spec = both.spec('both')
    assert.equal(await answerOf(await both.up(spec)), spec.id)
    const { Config, State } = await both.container(spec).inspect()
    const name = `longhouse-${spec.subdomain}`
    const routing = Object.entries(Config.Labels).filter(([label]) => /^(caddy|traefik)/.test(label))
    assert.deepEqual(Object.fromEntries(routing), {
      caddy: `${spec.subdomain}.example.test`,
      'caddy.reverse_proxy': '{{upstreams 8080}}',
      'traefik.enable': 'true',
      'traefik.docker.network': both.network,
      [`traefik.http.routers.${name}.rule`]: `Host(\`${spec.subdomain}.example.test\`)`,
      [`traefik.http.routers.${name}.service`]: name,
      [`traefik.http.services.${name}.loadbalancer.server.port`]: '8080',
    })
    assert.equal(State.Health, undefined, 'Traefik leaves out containers whose check has not passed')

    const one = await testbed({ mode: 'labels', labelsFor: ['traefik'] })
    const alone = one.spec('alone')
    await one.up(alone)
    const { Labels } = (await one.container(alone).inspect()).Config
    assert.equal(Labels.caddy, undefined)
  })

  test('an open network is refused for published instances, and causes a warning behind Caddy', async () => {
    const own = await testbed()
    await docker.createNetwork({ Name: own.network })
    await own.driver.prepareVolume(own.spec('open'))
    await assert.rejects(own.driver.create(own.spec('open')), /lets its containers reach each other/)

    const labelled = await testbed({ mode: 'labels' })
    await docker.createNetwork({ Name: labelled.network })
    await labelled.driver.ping()
    assert.match(labelled.driver.warning ?? '', /containers reach each other/)
    await driver.ping()
    assert.equal(driver.warning, null)
  })

  test('trusting the network of the instances causes a warning', async () => {
    const trusting = await testbed({ trustedByEdge: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] })
    await trusting.driver.ping()
    assert.equal(trusting.driver.warning, null, 'there is no network yet')
    await trusting.up(trusting.spec('forger'))
    await trusting.driver.ping()
    assert.match(
      trusting.driver.warning ?? '',
      /^LONGHOUSE_TRUSTED_PROXIES contains the network \S+, so that jobs can forge/,
    )
    const { trustedProxies } = await import('../../../site/trusted-proxies.ts')
    const careful = await testbed({
      trustedByEdge: trustedProxies(['loopback', 'docker', 'cloudflare']).ranges,
    })
    await careful.up(careful.spec('honest'))
    await careful.driver.ping()
    assert.equal(careful.driver.warning, null)
  })
})

test('an engine that is not running is named by its socket', async () => {
  const { createDockerDriver, defaultLimits } = await import('./docker.ts')
  const driver = createDockerDriver({
    socketPath: '/nowhere/docker.sock',
    network: 'none',
    mode: 'port',
    domain: 'example.test',
    limits: defaultLimits,
  })
  await assert.rejects(driver.ping(), (error: DriverError) => {
    assert.ok(error instanceof DriverError)
    assert.equal(error.permanent, false)
    assert.equal(error.transient, true)
    assert.match(
      error.message,
      /Docker engine at \/nowhere\/docker\.sock does not answer \(there is no such socket/,
    )
    return true
  })
  await driver.close()
  assert.equal(await dockerAvailable('/nowhere/docker.sock'), false)
})

test('an engine that answers is available', { skip: await skipReason() }, async () => {
  assert.equal(await dockerAvailable(socketPath), true)
})
