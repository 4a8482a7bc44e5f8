import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { DriverError } from '../../driver.ts'
import { skipReason, testbed } from './testbed.fixture.ts'

suite('images of Longhouse on an engine with those of others', { skip: await skipReason() }, async () => {
  const bed = await testbed()
  const { driver, docker } = bed

  test('they are found by their label; one goes by its tags, never by force, and nothing else goes with it', async t => {
    const spec = bed.spec('lists')
    await bed.up(spec)
    const standIn = (await driver.images()).find(({ tags }) => tags.includes(bed.image))
    assert.equal(standIn?.program, 'runtime')
    assert.deepEqual(standIn?.containers, [`longhouse-${spec.subdomain}`])
    assert.ok((standIn?.bytes ?? 0) > 0)
    await assert.rejects(driver.removeImage(standIn), (error: DriverError) => {
      assert.match(error.message, /container/)
      return true
    })
    assert.equal(await driver.findImage(bed.image), standIn.id)

    // Another product's image, with a container and a volume, and an old one of ours with two tags.
    const mark = spec.subdomain
    const make = async (repo: string, changes: string) => {
      const container = await docker.createContainer({ Image: bed.image })
      const { Id } = (await container.commit({ repo, tag: mark, changes })) as { Id: string }
      await container.remove()
      t.after(() =>
        docker
          .getImage(Id)
          .remove({ force: true })
          .catch(() => {}),
      )
      return Id
    }
    const foreign = await make('other-product', 'LABEL org.opencontainers.image.title="Other product"')
    assert.equal(await driver.isRuntime(foreign), false)
    assert.equal(await driver.isRuntime(standIn.id), true)
    const old = await make('longhouse-runtime', 'LABEL old=1')
    await docker.getImage(old).tag({ repo: 'longhouse-runtime', tag: `${mark}-again` })
    const volume = `other-product-${mark}`
    await docker.createVolume({ Name: volume })
    t.after(() => docker.getVolume(volume).remove())
    const listed = await driver.images()
    assert.ok(listed.every(({ id }) => id !== foreign))
    const found = listed.find(({ id }) => id === old)
    assert.deepEqual(found?.tags, [`longhouse-runtime:${mark}`, `longhouse-runtime:${mark}-again`])
    assert.deepEqual(found?.containers, [])
    // A newer image has taken one of its names since.
    await docker.getImage(foreign).tag({ repo: 'longhouse-runtime', tag: `${mark}-again` })
    await driver.removeImage(found)
    assert.equal(await driver.findImage(old), null)
    assert.equal(await driver.findImage(`longhouse-runtime:${mark}-again`), foreign)
    assert.equal(await driver.findImage(`other-product:${mark}`), foreign)
    await docker.getVolume(volume).inspect()
    assert.equal((await driver.inspect(spec)).state, 'running')
  })
})
