import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

const day = 86_400_000

test('outdated copies are deleted, but never the newest ones, the proven one, or those of others', {
  skip: noRestic,
}, async t => {
  const clock = setClock()
  const fleet = await testFleet(t, {
    clock,
    plugins: [backup],
    env: {
      BACKUP_EVERY: '24h',
      BACKUP_PROVE_EVERY: '0ms',
      BACKUP_KEEP_FOR: '10d',
      BACKUP_KEEP_LAST: '2',
      BACKUP_KEEP_PURGED: '5d',
    },
  })
  for (const name of ['acme', 'other']) await fleet.provision(name)
  const copies = async (name: string) =>
    (await fleet.admin<{ backups: WireBackup[] }>('GET', `/admin/instances/${name}/backups`)).body.backups
  const ids = async (name: string) => (await copies(name)).map(({ id }) => id)

  await fleet.program.runOnce('backup:copy')
  assert.deepEqual(await ids('acme'), [], 'a new instance is copied after an hour')
  for (let passed = 0; passed < 3; passed++) {
    clock.advance(day)
    await fleet.program.runOnce('backup:copy')
    await fleet.program.runOnce('backup:copy')
  }
  const [third, second, first] = await ids('acme')
  assert.equal((await ids('acme')).length, 3, 'one a day')
  const verify = `/admin/instances/acme/backups/${first}/verify`
  assert.equal((await fleet.admin('POST', verify, { wait: 100 })).status, 200)
  clock.advance(day)
  await fleet.program.runOnce('backup:copy')
  const [fourth] = await ids('acme')

  clock.advance(11 * day)
  await fleet.program.runOnce('backup:forget')
  // The two newest stay, and the only one that was proven; the second is deleted.
  assert.deepEqual(await ids('acme'), [fourth, third, first])
  assert.equal((await ids('other')).length, 2)
  const answer = await fleet.admin('POST', '/admin/instances/acme/restore', { body: { backup: second } })
  assert.equal(answer.status, 404)

  await fleet.admin('DELETE', '/admin/instances/other?purge=true', { wait: 100 })
  clock.advance(4 * day)
  await fleet.program.runOnce('backup:forget')
  clock.advance(2 * day)
  await fleet.program.runOnce('backup:forget')
  assert.deepEqual(await ids('acme'), [fourth, third, first], 'a purge of another changes nothing')
  assert.equal((await fleet.admin('POST', verify, { wait: 100 })).status, 200, 'the store still has it')
})
