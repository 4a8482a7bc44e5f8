import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { answerOf, lastLines, skipReason, testbed } from './testbed.fixture.ts'

suite('a container whose name was changed by hand', { skip: await skipReason() }, async () => {
  const bed = await testbed()
  const { driver, docker } = bed
  const named = async (label: string) =>
    (await docker.listContainers({ all: true, filters: { label: [`longhouse.instance=${label}`] } })).map(
      ({ Names, State }) => `${Names[0]?.replace(/^.*longhouse-/, '').replace(/-\w{8}/, '')} ${State}`,
    )

  test('is found where it answers, stopped, started and removed', async () => {
    const spec = bed.spec('renamed')
    const url = await bed.up(spec)
    await answerOf(url)
    await bed.container(spec).rename({ name: `longhouse-${spec.subdomain}-old` })
    const seen = await driver.inspect(spec)
    assert.equal(url, `http://${seen.address?.host}:${seen.address?.port}`)
    assert.ok((await lastLines(driver, spec, 10)).length > 0)
    await assert.rejects(driver.refuseInUse(spec), /is in use by the container .*-old \(running\)/)

    await driver.stop(spec, 5000)
    assert.deepEqual(await named(spec.id), ['renamed-old exited'])
    await driver.start(spec)
    await driver.remove(spec)
    assert.deepEqual(await named(spec.id), [])
    await driver.refuseInUse(spec)
  })

  test('gets its name back when it is as wanted, and keeps running', async () => {
    const spec = bed.spec('back')
    await bed.up(spec)
    const { Id } = await bed.container(spec).inspect()
    await bed.container(spec).rename({ name: `longhouse-${spec.subdomain}-old` })
    await driver.create(spec)
    const now = await bed.container(spec).inspect()
    assert.deepEqual([now.Id, now.State.Running], [Id, true])
  })

  test('is removed when another spec is wanted, so that two never run on one volume', async () => {
    const spec = bed.spec('two')
    await bed.up(spec)
    const old = await bed.container(spec).inspect()
    await docker.getContainer(old.Id).rename({ name: 'x-by-a-tool' })
    // What an older Longhouse did: it found nothing of that name and made another.
    const { Config, HostConfig } = old
    const second = await docker.createContainer({
      ...Config,
      name: `longhouse-${spec.subdomain}`,
      HostConfig: { ...HostConfig, NetworkMode: bed.network },
    })
    await second.start()
    assert.deepEqual((await driver.inspect(spec)).address, null)
    assert.equal(await answerOf(await bed.up(spec)), spec.id)
    assert.deepEqual(await named(spec.id), ['two running'])
  })

  test('does not outlive its instance under the old name', async () => {
    const spec = bed.spec('outlived')
    await bed.up(spec)
    await bed.container(spec).rename({ name: 'y-by-a-tool' })
    const changed = { ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$bmV3' }
    assert.equal(await answerOf(await bed.up(changed)), spec.id)
    assert.deepEqual(await named(spec.id), ['outlived running'])
    assert.ok(existsSync(join(spec.volume)))
  })

  test('the containers of a data root are listed for the comparison with the records', async () => {
    const own = await testbed()
    const spec = own.spec('listed')
    await own.up(spec)
    const there = await own.driver.existing(own.folder)
    const [one, ...others] = there
    assert.deepEqual(others, [])
    assert.partialDeepStrictEqual(one, {
      instanceId: spec.id,
      container: `longhouse-${spec.subdomain}`,
      active: true,
    })
    assert.match(one?.id ?? '', /^[0-9a-f]{64}$/)
    assert.ok((one?.createdAt ?? 0) > 0)
    await own.driver.stop(spec, 5000)
    assert.deepEqual(
      (await own.driver.existing(own.folder)).map(({ active }) => active),
      [false],
    )
    assert.deepEqual(await own.driver.existing(join(own.folder, 'elsewhere')), [])
  })
})
