import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { randomText } from '../../../../src/ids.ts'
import { openEngine } from './engine.ts'
import { ensureNetwork } from './network.ts'
import { engine as docker, skipReason, socketPath } from './testbed.fixture.ts'

suite('the network of the instances', { skip: await skipReason() }, () => {
  test('instances that are provisioned at once on a fresh engine share one network', async t => {
    const name = `longhouse-test-${randomText(8)}`
    const engine = openEngine(socketPath)
    const named = async () => (await docker().listNetworks()).filter(({ Name }) => Name === name)
    t.after(async () => {
      for (const { Id } of await named()) await docker().getNetwork(Id).remove()
    })
    const found = await Promise.all(Array.from({ length: 8 }, () => ensureNetwork(engine, name)))
    assert.equal(new Set(found.map(({ id }) => id)).size, 1)
    assert.deepEqual(
      (await named()).map(({ Id }) => Id),
      [found[0]?.id],
    )
    assert.equal((await ensureNetwork(engine, name)).id, found[0]?.id, 'and who comes later finds it')
  })
})
