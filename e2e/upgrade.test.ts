import assert from 'node:assert/strict'
import { test } from 'node:test'
import Docker from 'dockerode'
import { randomText } from '../src/ids.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { anotherImage } from './another-image.fixture.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'

const skip = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false

interface UpgradedJson extends InstanceJson {
  image_id: string
  operation: NonNullable<InstanceJson['operation']> & { error: string | null }
}

test('a container is upgraded and rolled back without a failed request, and a crash loop is taken back', {
  skip,
  timeout: 300_000,
}, async t => {
  const docker = new Docker()
  // The engine may have an instance of another Longhouse by a plainer name.
  const name = `upgraded-${randomText(6)}`
  // Longer than a busy machine takes, so that the test is not about its speed.
  const env = { ROUTER_HOLD_TIMEOUT: '60s' }
  const longhouse = await startLonghouse(t, { driver: 'docker', dataRoot: temporaryFolder(t), env })
  const before = (await longhouse.provision(name)) as UpgradedJson & { password: string }
  const api = await longhouse.login(name, before.password)
  await api('/api/jobs/repo/init', { method: 'POST' })
  const write = async (content: string) => {
    const answer = await api('/api/jobs/repo/files/notes.txt', { method: 'PUT', body: { content } })
    assert.equal(answer.status, 200, answer.text)
  }
  const read = async () => {
    const again = await longhouse.login(name, before.password)
    return (await again('/api/jobs/repo/files/notes.txt')).json<{ content: string }>().content
  }
  /** Does something to the instance while requests for it keep coming. */
  const during = async (verb: string, body: object) => {
    let over = false
    const statuses = new Map<number, number>()
    let longestMs = 0
    const visits = (async () => {
      while (!over) {
        const from = performance.now()
        const { status } = await longhouse.instance(name, '/api/jobs/repo')
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        longestMs = Math.max(longestMs, performance.now() - from)
      }
    })()
    const reply = await longhouse.admin(`/admin/instances/${name}/${verb}`, { body, wait: 100 })
    over = true
    await visits
    t.diagnostic(`${verb}: the longest request took ${Math.round(longestMs)} ms`)
    assert.deepEqual([...statuses.keys()], [200], `${verb}: ${JSON.stringify([...statuses])}`)
    return reply.json<UpgradedJson>()
  }

  await write('of before')
  const upgraded = await during('upgrade', { image: await anotherImage(t, docker) })
  assert.deepEqual(
    [upgraded.operation.status, upgraded.status],
    ['succeeded', 'running'],
    upgraded.operation.error ?? '',
  )
  assert.notEqual(upgraded.image_id, before.image_id)
  await write('of the new version')

  const failed = await during('upgrade', {
    image: await anotherImage(t, docker, ['node', '-e', 'process.exit(7)']),
  })
  assert.equal(failed.operation.status, 'failed')
  assert.match(failed.operation.error ?? '', /The previous image and data are back\.$/)
  assert.deepEqual([failed.status, failed.image_id], ['running', upgraded.image_id])
  assert.equal(await read(), 'of the new version')

  await during('upgrade', { image: await anotherImage(t, docker) })
  await write('lost by going back')
  const back = await during('rollback', {})
  assert.deepEqual(
    [back.operation.status, back.image_id],
    ['succeeded', upgraded.image_id],
    back.operation.error ?? '',
  )
  assert.equal(await read(), 'of the new version')
  const containers = await docker.listContainers({
    all: true,
    filters: { label: [`longhouse.instance=${before.id}`] },
  })
  assert.equal(containers.length, 1)
})
