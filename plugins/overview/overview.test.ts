import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { overview } from './index.ts'

interface Overview {
  instances: { total: number; by_status: Record<string, number> }
  attention: { kind: string; subdomain: string | null; summary: string; urgency: string }[]
  capacity: { memory: { promised_bytes: number; total_bytes: number | null }; disk: { free_bytes: number } }
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
