import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { randomText } from '../../../../src/ids.ts'
import { openEngine } from './engine.ts'
import { fakeEngine, says } from './fake.fixture.ts'
import { addressUse, ensureNetwork } from './network.ts'
import { engine as docker, skipReason, socketPath } from './testbed.fixture.ts'

suite('the network of the instances', { skip: await skipReason() }, () => {
  test('instances that are provisioned at once on a fresh engine share one network', async t => {
    const name = `longhouse-test-${randomText(8)}`
    const engine = openEngine(socketPath)
    const named = async () => (await docker().listNetworks()).filter(({ Name }) => Name === name)
    t.after(async () => {
      for (const { Id } of await named()) await docker().getNetwork(Id).remove()
    })
    const found = await Promise.all(Array.from({ length: 8 }, () => ensureNetwork(engine, name, '/nowhere')))
    assert.equal(new Set(found.map(({ id }) => id)).size, 1)
    assert.deepEqual(
      (await named()).map(({ Id }) => Id),
      [found[0]?.id],
    )
    assert.equal(
      (await ensureNetwork(engine, name, '/nowhere')).id,
      found[0]?.id,
      'and who comes later finds it',
    )
    const use = await addressUse(engine, name)
    assert.equal(use?.used, 0)
    assert.ok((use?.total ?? 0) > 0)
    assert.equal(await addressUse(engine, `${name}-that-is-not-there`), null)
  })
})

test('addresses are those of the IPv4 ranges that containers get, no more than a bridge has ports', async t => {
  const network = (Config: object[], Containers = {}) =>
    says(200, { Id: 'n', Driver: 'bridge', Options: {}, IPAM: { Config }, Containers })
  const answers: Record<string, string> = {
    small: network([{ Subnet: '10.0.0.0/28', Gateway: '10.0.0.1' }, { Subnet: 'fd00::/64' }], {
      a: {},
      b: {},
    }),
    large: network([{ Subnet: '172.18.0.0/16' }]),
    part: network([{ Subnet: '172.18.0.0/16', IPRange: '172.18.5.0/24' }]),
  }
  const { socketPath } = await fakeEngine(t, request => answers[request.split('/').at(-1) ?? ''] ?? null)
  const engine = openEngine(socketPath)
  assert.deepEqual(await addressUse(engine, 'small'), { used: 2, total: 13 })
  assert.deepEqual(await addressUse(engine, 'large'), { used: 0, total: 1023 })
  assert.deepEqual(await addressUse(engine, 'part'), { used: 0, total: 253 })
})
