import assert from 'node:assert/strict'
import { test } from 'node:test'
import Docker from 'dockerode'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { anotherImage } from './another-image.fixture.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'

const skip = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false

interface FleetUpgradeJson {
  id: string
  state: string
  reason: string | null
  image_id: string
  instances: { subdomain: string; status: string; reason: string | null; operation_id: string | null }[]
}

test('a fleet upgrade and its undo come to their end, however often the control plane is killed', {
  skip,
  timeout: 600_000,
}, async t => {
  const docker = new Docker()
  const dataRoot = temporaryFolder(t)
  const open = () => startLonghouse(t, { driver: 'docker', dataRoot })
  let longhouse = await open()
  const names = ['amber', 'beryl', 'coral']
  const passwords = new Map<string, string>()
  const before = new Map<string, { id: string; image_id: string }>()
  for (const name of names) {
    const instance = await longhouse.provision(name)
    passwords.set(name, instance.password)
    before.set(name, instance as InstanceJson & { image_id: string })
  }
  const image = await anotherImage(t, docker)
  const body = { image, soak: '0s', parallel: 2 }
  const { id, image_id } = (await longhouse.admin('/admin/upgrades', { body })).json<FleetUpgradeJson>()
  const now = async () => (await longhouse.admin(`/admin/upgrades/${id}`)).json<FleetUpgradeJson>()
  /** Kills the control plane again and again, each time a moment later in its work, until the state is reached. */
  const killUntil = async (state: string, busy: string) => {
    let kills = 0
    for (const afterMs of [0, 200, 500, 1000, 1800]) {
      await eventually('an operation is in progress', async () => {
        const upgrade = await now()
        return upgrade.state === state || upgrade.instances.some(({ status }) => status === busy)
      })
      if ((await now()).state === state) break
      await new Promise(resolve => setTimeout(resolve, afterMs))
      await longhouse.end('SIGKILL')
      kills++
      longhouse = await open()
    }
    // An operation takes longer than two of the pauses together: with fewer kills, nothing was tried.
    assert.ok(kills >= 2, `${kills} kills before it was ${state}`)
    return await eventually(
      `the fleet upgrade is ${state}`,
      async () => {
        const upgrade = await now()
        assert.notEqual(upgrade.state, 'halted', JSON.stringify(upgrade))
        return upgrade.state === state && upgrade
      },
      { withinMs: 180_000 },
    )
  }
  const check = async (imageOf: (name: string) => string | undefined) => {
    for (const name of names) {
      const instance = (await longhouse.admin(`/admin/instances/${name}`)).json<
        InstanceJson & { image_id: string }
      >()
      assert.deepEqual([instance.status, instance.image_id], ['running', imageOf(name)], name)
      const filters = { label: [`longhouse.instance=${instance.id}`] }
      assert.equal((await docker.listContainers({ all: true, filters })).length, 1, name)
      const api = await longhouse.login(name, passwords.get(name) ?? '')
      assert.equal((await api('/api/jobs')).status, 200)
    }
  }

  const done = await killUntil('done', 'upgrading')
  assert.deepEqual(
    done.instances.map(({ status, reason }) => `${status} ${reason}`),
    names.map(() => 'upgraded null'),
  )
  await check(() => image_id)

  assert.equal((await longhouse.admin(`/admin/upgrades/${id}/undo`, { method: 'POST' })).status, 202)
  const undone = await killUntil('undone', 'rolling-back')
  assert.deepEqual(
    undone.instances.map(({ status }) => status),
    names.map(() => 'rolled-back'),
    JSON.stringify(undone),
  )
  await check(name => before.get(name)?.image_id)
})
