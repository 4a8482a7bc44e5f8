import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { suite, test } from 'node:test'
import { skipReason, testbed } from './testbed.fixture.ts'

suite('one container is discarded', { skip: await skipReason() }, async () => {
  const bed = await testbed()
  const { driver, docker } = bed

  test('only one of this data root goes; its volume, and containers of others, stay', async () => {
    const [lost, kept] = [bed.spec('lost'), bed.spec('kept')]
    await bed.up(lost)
    await bed.up(kept)
    // It looks like ours by its name, and has no label of ours.
    const foreign = await docker.createContainer({
      name: `longhouse-foreign-${lost.subdomain}`,
      Image: bed.image,
      HostConfig: { Binds: [`${lost.volume}:/data`] },
    })
    const listed = await driver.existing(bed.folder)
    assert.deepEqual(listed.map(({ instanceId }) => instanceId).toSorted(), [lost.id, kept.id].toSorted())
    const found = listed.find(({ instanceId }) => instanceId === lost.id)
    assert.ok(found?.id && found.createdAt && Math.abs(Date.now() - found.createdAt) < 3_600_000)
    await driver.discard(bed.folder, foreign.id)
    await driver.discard('/another/data/root', found.id)
    await foreign.inspect()
    assert.equal((await driver.inspect(lost)).state, 'running')
    await driver.discard(bed.folder, found.id)
    assert.equal((await driver.inspect(lost)).state, 'absent')
    assert.equal((await driver.inspect(kept)).state, 'running')
    assert.ok(existsSync(lost.volume))
    await foreign.inspect()
  })
})
