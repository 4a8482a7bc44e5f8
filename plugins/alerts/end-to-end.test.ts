import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { backupFleet } from '../backup/backup.fixture.ts'
import { mail } from '../mail/index.ts'
import { type TestFleet, testFleet } from '../provisioner/fleet.fixture.ts'
import { alerts } from './index.ts'
import { startReceiver } from './receiver.fixture.ts'

const minute = 60_000
const day = 86_400_000

type Line = { kind: string; summary: string; subdomain: string | null }

/** Where alerts arrive, and what makes a control plane send them there at once. */
async function startWatch(t: TestContext) {
  const receiver = await startReceiver(t)
  const read = (part: 'opened' | 'recovered') =>
    receiver.received.flatMap(({ body }) => (JSON.parse(body) as Record<typeof part, Line[]>)[part])
  /** Looks and sends until a line of this kind has arrived so often. */
  const arrives = async (
    { program }: TestFleet,
    part: 'opened' | 'recovered',
    { kind, about, times = 1 }: { kind: string; about: RegExp; times?: number },
  ) =>
    await eventually(`${kind} is ${part}`, async () => {
      await program.runOnce('alerts:watch')
      await program.runOnce('alerts:send')
      const found = read(part).filter(line => line.kind === kind && about.test(line.summary))
      return found.length === times
    })
  return {
    settings: { plugins: [mail, alerts], env: { ALERT_WEBHOOK_URL: receiver.url, ALERT_AFTER: '0s' } },
    opens: (fleet: TestFleet, kind: string, about: RegExp, times = 1) =>
      arrives(fleet, 'opened', { kind, about, times }),
    ends: (fleet: TestFleet, kind: string, about: RegExp, times = 1) =>
      arrives(fleet, 'recovered', { kind, about, times }),
    all: () => [
      ...read('opened').map(({ kind }) => kind),
      ...read('recovered').map(({ kind }) => `${kind} over`),
    ],
  }
}

test('an instance that is unhealthy, then failed, and each time recovers, reaches the operator', async t => {
  const watch = await startWatch(t)
  const fleet = await testFleet(t, watch.settings)
  await fleet.provision('acme')
  fleet.behave('acme', 'ill')
  await watch.opens(fleet, 'instance-unhealthy', /^acme is unhealthy$/)
  fleet.behave('acme', 'well')
  await watch.ends(fleet, 'instance-unhealthy', /^acme is unhealthy$/)
  fleet.behave('acme', 'crash')
  await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  await watch.opens(fleet, 'instance-failed', /^acme has failed$/)
  fleet.behave('acme', 'well')
  await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  await watch.ends(fleet, 'instance-failed', /^acme has failed$/)
})

test('an engine that does not answer reaches the operator, and so does its return', async t => {
  const watch = await startWatch(t)
  let isAway = false
  const fleet = await testFleet(t, {
    ...watch.settings,
    driver: real => ({
      ...real,
      ping: async () => {
        if (isAway) throw new Error('the Docker engine does not answer')
        await real.ping()
      },
    }),
  })
  isAway = true
  await watch.opens(fleet, 'check-failing', /driver/)
  isAway = false
  await watch.ends(fleet, 'check-failing', /driver/)
})

test('a volume that is full reaches the operator, and so does the room that its owner makes', async t => {
  const watch = await startWatch(t)
  const clock = setClock()
  const env = { ...watch.settings.env, INSTANCE_DISK: '64m' }
  const fleet = await testFleet(t, { ...watch.settings, env, clock })
  await fleet.provision('acme')
  const measure = async () => {
    clock.advance(6 * minute)
    await fleet.program.runOnce('provisioner:measure-volumes')
  }
  const large = join(fleet.root, 'acme', 'large')
  writeFileSync(large, Buffer.alloc(60 * 1024 ** 2))
  await measure()
  await fleet.program.runOnce('alerts:watch')
  assert.deepEqual(watch.all(), [], 'a warning wakes no one')
  writeFileSync(large, Buffer.alloc(65 * 1024 ** 2))
  await measure()
  await watch.opens(fleet, 'instance-disk-full', /^acme uses 10\d % of its disk space$/)
  rmSync(large)
  await measure()
  await watch.ends(fleet, 'instance-disk-full', /^acme uses/)
})

test('a backup that is overdue, then one that is not proven, reaches the operator, and so does each end', {
  skip: noRestic,
}, async t => {
  const watch = await startWatch(t)
  const clock = setClock()
  const { plugins, env } = watch.settings
  const schedule = { BACKUP_EVERY: '24h', BACKUP_PROVE_EVERY: '24h' }
  const fleet = await backupFleet(t, { plugins, env: { ...env, ...schedule }, clock })
  await fleet.provision('acme')
  await fleet.program.runOnce('alerts:watch')
  assert.deepEqual(watch.all(), [])
  clock.advance(5 * day)
  await watch.opens(fleet, 'backup-overdue', /acme needs attention: it has no recent backup/)
  // There is one then, and none was proven for too long.
  const { id } = await fleet.copy('acme')
  await fleet.program.runOnce('alerts:watch')
  const { body } = await fleet.admin<{ open: { summary: string }[] }>('GET', '/admin/alerts')
  // What /health says too is one alert, not two.
  assert.deepEqual(
    body.open.map(({ summary }) => summary),
    ['The backup of acme needs attention: none of its recent backups was proven to work'],
  )
  const { status } = await fleet.admin('GET', '/health')
  assert.equal(status, 503)
  const proven = await fleet.admin('POST', `/admin/instances/acme/backups/${id}/verify`, { wait: 100 })
  assert.equal(proven.status, 200, JSON.stringify(proven.body))
  await watch.ends(fleet, 'backup-overdue', /acme/)
})
