import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DriverError } from '../../driver.ts'
import { answerOf, skipReason, testbed } from './testbed.fixture.ts'

suite('a container and what takes its place', { skip: await skipReason() }, async () => {
  const bed = await testbed()
  const { driver, docker } = bed
  const all = async (id: string) =>
    (await docker.listContainers({ all: true, filters: { label: [`longhouse.instance=${id}`] } }))
      .map(({ Names, State }) => `${Names[0]?.endsWith('.next') ? 'next' : 'own'} ${State}`)
      .toSorted()

  test('limits beyond what the host has leave the running container alone', async () => {
    const spec = bed.spec('huge')
    const url = await bed.up(spec)
    await answerOf(url)
    const { Id } = await bed.container(spec).inspect()
    const huge = { ...spec, limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1000 } }
    for (const make of [() => driver.prepareSuccessor(huge), () => driver.create(huge)]) {
      await assert.rejects(make, (error: DriverError) => {
        assert.ok(error instanceof DriverError)
        assert.equal(error.permanent, true)
        assert.match(error.message, /range of CPUs.* — The limits ask for what this engine does not have/i)
        return true
      })
    }
    assert.equal((await bed.container(spec).inspect()).Id, Id)
    assert.equal(await answerOf(url), spec.id)
    assert.deepEqual(await all(spec.id), ['own running'])
  })

  test('the successor waits, and takes the name once the other container is gone', async () => {
    const spec = bed.spec('next')
    await driver.prepareSuccessor(spec)
    assert.deepEqual(await all(spec.id), [], 'there is nothing to succeed')
    await bed.up(spec)
    const changed = { ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$bmV3' }
    for (const twice of [1, 2]) {
      await driver.prepareSuccessor(changed)
      assert.deepEqual(await all(spec.id), ['next created', 'own running'], String(twice))
    }
    const seen = await driver.inspect(spec)
    assert.equal(seen.state, 'running')
    assert.ok(seen.address)
    // Another change before the first came in.
    const again = { ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$YWdhaW4' }
    await driver.prepareSuccessor(again)
    await driver.create(again)
    assert.deepEqual(await all(spec.id), ['own created'])
    await driver.start(again)
    assert.ok(
      (await bed.container(spec).inspect()).Config.Env.includes(`LONGHOUSE_PASSWORD=${again.passwordHash}`),
    )
  })

  test('a replacement that was killed between removing the old container and naming the new one is completed', async () => {
    const spec = bed.spec('cut')
    await bed.up(spec)
    const changed = { ...spec, passwordHash: '$scrypt$ln=1$c2FsdA$bmV3' }
    await driver.prepareSuccessor(changed)
    await bed.container(spec).remove({ force: true })
    assert.equal((await driver.inspect(spec)).state, 'stopped')
    assert.equal(await answerOf(await bed.up(changed)), spec.id)
    assert.deepEqual(await all(spec.id), ['own running'])
  })

  test('an unused successor is removed with the instance', async () => {
    const spec = bed.spec('unused')
    await bed.up(spec)
    await driver.prepareSuccessor({ ...spec, publicUrl: 'http://elsewhere.example.test' })
    await driver.remove(spec)
    assert.deepEqual(await all(spec.id), [])
    await driver.refuseInUse(spec)
  })

  test('an instance stays on its pinned image, whatever the name means by now', async () => {
    const own = await testbed()
    const spec = own.spec('pinned')
    const imageId = await own.driver.prepareImage(spec)
    assert.match(imageId ?? '', /^sha256:/)
    const pinned = { ...spec, imageId }
    await own.up(pinned)
    const before = await own.container(spec).inspect()
    assert.equal(before.Config.Labels['longhouse.image'], spec.image)
    const [repo, tag] = own.image.split(':')
    await own.container(spec).commit({ repo, tag, comment: 'rebuilt' })
    assert.notEqual(await own.driver.prepareImage(spec), imageId, 'the name means another image')
    await own.up(pinned)
    const now = await own.container(spec).inspect()
    assert.deepEqual([now.Id, now.Image], [before.Id, imageId])
    assert.equal((await own.driver.inspect(spec)).imageId, imageId)
  })

  test('a missing image is not replaced by another of the same name', async () => {
    const gone = { ...bed.spec('gone'), imageId: `sha256:${'0'.repeat(64)}` }
    await assert.rejects(driver.prepareImage(gone), (error: DriverError) => {
      assert.equal(error.permanent, true)
      assert.match(error.message, /the image that it was made from, .* is no longer on this Docker engine/)
      return true
    })
  })
})
