import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { withImages } from '../provisioner/images.fixture.ts'
import { overview } from './index.ts'

interface Overview {
  instances: { total: number; by_status: Record<string, number> }
  attention: { kind: string; subdomain: string | null; summary: string; urgency: string; path: string }[]
  capacity: {
    memory: { promised_bytes: number; total_bytes: number | null }
    disk: { free_bytes: number }
    addresses: { used: number; total: number } | null
  }
  operations: { subdomain: string; kind: string; status: string }[]
}

test('the overview counts instances, and lists what needs the operator and what was done', async t => {
  const trouble = definePlugin({
    name: 'trouble',
    setup: () => ({
      concernKinds: ['a-notice', 'a-alert'],
      concerns: () =>
        (['notice', 'alert'] as const).map(urgency => ({
          kind: `a-${urgency}`,
          subject: 'x',
          subdomain: null,
          summary: `something is an <${urgency}>`,
          detail: '',
          urgency,
          path: '/admin/mail',
        })),
    }),
  })
  const fleet = await testFleet(t, { plugins: [overview, trouble], env: { INSTANCE_MEMORY: '256m' } })
  await fleet.provision('acme')
  await fleet.provision('beta')
  await fleet.admin('POST', '/admin/instances/beta/stop', { wait: 20 })
  const { status, body } = await fleet.admin<Overview>('GET', '/admin/overview')
  assert.equal(status, 200)
  assert.equal(body.instances.total, 2)
  assert.deepEqual([body.instances.by_status.running, body.instances.by_status.stopped], [1, 1])
  assert.equal(body.instances.by_status.failed, 0)
  assert.equal(body.capacity.memory.promised_bytes, 256 * 1024 ** 2, 'of what should run')
  assert.ok(body.capacity.disk.free_bytes > 0)
  assert.deepEqual(
    body.attention.map(({ kind }) => kind),
    ['a-alert', 'a-notice'],
    'alerts first',
  )
  assert.deepEqual(
    body.operations.map(({ subdomain, kind, status }) => `${subdomain} ${kind} ${status}`),
    ['beta stop succeeded', 'beta provision succeeded', 'acme provision succeeded'],
  )
})

test('failed, unhealthy, behind, unpaid, full and stray: each needs the operator, and leads to where it is dealt with', async t => {
  let asked = ''
  const fleet = await testFleet(t, {
    plugins: [overview],
    env: { INSTANCE_DISK: '64m' },
    driver: real => ({
      ...withImages(real, { findImage: image => `sha256:${image}${asked}` }),
      addresses: async () => ({ used: 5, total: 12 }),
    }),
  })
  const { runOnce, services } = fleet.program
  for (const subdomain of ['broken', 'sick', 'full', 'free']) await fleet.provision(subdomain)
  const shown = async () => (await fleet.admin<Overview>('GET', '/admin/overview')).body
  assert.deepEqual((await shown()).attention, [])

  fleet.behave('broken', 'crash')
  await fleet.admin('POST', '/admin/instances/broken/restart', { wait: 20 })
  fleet.behave('sick', 'ill')
  await eventually('it is unhealthy', async () => {
    const { body } = await fleet.admin('GET', '/admin/instances/sick')
    return body.status === 'unhealthy'
  })
  writeFileSync(join(fleet.root, 'full', 'large'), Buffer.alloc(65 * 1024 ** 2))
  mkdirSync(join(fleet.root, 'stray'))
  const { id } = (await fleet.admin('GET', '/admin/instances/free')).body
  services.provisioner?.note([{ instanceId: id, unpaid: true }])
  asked = ' of today'
  for (const task of ['look-at-image', 'look-at-addresses', 'measure-volumes', 'compare-containers'])
    await runOnce(`provisioner:${task}`)

  const { attention, capacity } = await shown()
  assert.deepEqual(attention.map(({ kind, summary, path }) => `${kind}: ${summary} ${path}`).sort(), [
    'instance-disk-full: full uses 101 % of its disk space /admin/instances/full',
    'instance-failed: broken has failed /admin/instances/broken',
    'instance-unhealthy: sick is unhealthy /admin/instances/sick',
    'instances-behind: 4 instances are behind /admin/instances?behind=true',
    'instances-unpaid: 1 instance is unpaid /admin/instances?unpaid=true',
    'orphans: 1 thing does not fit the records /admin/orphans',
  ])
  assert.deepEqual(capacity.addresses, { used: 5, total: 12 })
  const html = { headers: { Accept: 'text/html' } }
  const page = (await fleet.admin<string>('GET', '/admin/overview', html)).body
  assert.match(page, /<a href="\/admin\/instances\?behind=true">4 instances are behind/)
  assert.match(page, /<dt>Addresses<\/dt>[\s\S]*7 of 12 free on the network of the instances/)
  for (const { path } of attention) assert.equal((await fleet.admin('GET', path, html)).status, 200, path)
})

test('what a plugin cannot say needs the operator, too', async t => {
  const broken = definePlugin({
    name: 'broken',
    setup: () => ({
      concerns: () => {
        throw new Error('the table is locked')
      },
    }),
  })
  const fleet = await testFleet(t, { plugins: [overview, broken] })
  const { body } = await fleet.admin<Overview>('GET', '/admin/overview')
  assert.match(body.attention[0]?.summary ?? '', /not known whether “broken” needs attention/)
  const stranger = await fleet.admin('GET', '/admin/overview', {
    headers: { Authorization: 'Bearer wrong-token-of-a-stranger' },
  })
  assert.equal(stranger.status, 401)
})

test('a plugin that lists a concern of a kind that it does not declare is a concern itself', async t => {
  const concern = { kind: 'surprise', subject: 'x', subdomain: null, summary: 'a surprise', detail: '' }
  const strange = definePlugin({
    name: 'strange',
    setup: () => ({ concerns: () => [{ ...concern, urgency: 'alert' as const, path: '/health' }] }),
  })
  const fleet = await testFleet(t, { plugins: [overview, strange] })
  const { body } = await fleet.admin<Overview>('GET', '/admin/overview')
  assert.deepEqual(
    body.attention.map(({ summary }) => summary),
    ['a surprise', '“strange” needs attention for a reason that it does not declare'],
  )
})
