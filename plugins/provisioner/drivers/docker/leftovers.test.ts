import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomText } from '../../../../src/ids.ts'
import { openEngine } from './engine.ts'
import { discardLeftover, leftoversOf } from './leftovers.ts'
import { ensureNetwork } from './network.ts'
import { skipReason, socketPath, testbed } from './testbed.fixture.ts'

const minute = 60_000

test('containers of work that is over and networks without containers are left over, of this data root alone', {
  skip: await skipReason(),
}, async t => {
  const { docker, folder, image, network } = await testbed()
  const engine = openEngine(socketPath)
  t.after(() => engine.close())
  const acme = join(folder, 'acme')
  mkdirSync(acme)
  const work = async (at: string) => {
    const container = await docker.createContainer({ Image: image, Labels: { 'longhouse.work': at } })
    t.after(() => container.remove({ force: true }).catch(() => {}))
    return container.id
  }
  const [idle] = [await work(acme), await work('/elsewhere/acme')]
  const networks = [
    `longhouse-a-${randomText(8)}`,
    `longhouse-b-${randomText(8)}`,
    `longhouse-c-${randomText(8)}`,
  ]
  const [empty = '', used = '', foreign = ''] = networks
  t.after(async () => {
    for (const name of networks)
      await docker
        .getNetwork(name)
        .remove()
        .catch(() => {})
  })
  for (const name of [empty, used]) await ensureNetwork(engine, name, folder)
  await ensureNetwork(engine, foreign, '/elsewhere')
  // A stopped container needs its network to start again.
  const stopped = await docker.createContainer({ Image: image, HostConfig: { NetworkMode: used } })
  t.after(() => stopped.remove({ force: true }).catch(() => {}))

  const now = Date.now()
  const scope = { dataRoot: folder, inWork: new Set<string>(), network, now: now + 11 * minute }
  const names = async (change: Partial<typeof scope> = {}) =>
    (await leftoversOf(engine, { ...scope, ...change })).map(({ id, kind, name }) =>
      kind === 'container' ? id : name,
    )
  assert.deepEqual(await names(), [idle, empty])
  assert.deepEqual(await names({ now }), [empty], 'it may go by itself still')
  assert.deepEqual(await names({ inWork: new Set([acme]) }), [empty])
  assert.deepEqual(await names({ network: empty }), [idle])
  await assert.rejects(
    discardLeftover(engine, { ...scope, inWork: new Set([acme]) }, idle ?? ''),
    /no longer there, or in use by now/,
  )
  for (const { id } of await leftoversOf(engine, scope)) await discardLeftover(engine, scope, id)
  assert.deepEqual(await names(), [])
  assert.equal(
    (await docker.listNetworks()).filter(({ Name }) => Name === used || Name === foreign).length,
    2,
  )
})
