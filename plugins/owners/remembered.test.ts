import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite } from '../../src/storage/database.ts'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { memoryFolder } from '../../src/testing/folder.ts'
import { openTown } from './owners.fixture.ts'

const day = 86_400_000

test('the owner of a deleted account is remembered while data is kept for them, and erased after that', async t => {
  const clock = setClock()
  const root = memoryFolder(t)
  const town = await openTown(t, { root, clock, env: { RETENTION_DAYS: '0' } })
  const leave = async () => {
    const ada = await town.owner('ada')
    assert.equal((await ada.call('DELETE', '/account', { confirm: 'ada@example.com' })).status, 204)
    await eventually('the instance is removed', async () => {
      return (await town.admin('GET', '/admin/instances/acme')).body.status === 'deleted'
    })
  }
  /** Years pass for the control plane. A sign-in happens today, because the provider has a clock of its own. */
  const muchLater = async () => {
    clock.advance(800 * day)
    await town.program.runOnce('auth:prune-sessions')
    await town.program.runOnce('provisioner:follow-owners')
    clock.advance(-800 * day)
  }
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  await leave()
  await muchLater()
  const back = await town.owner('ada')
  assert.equal((await back.call('POST', '/instances/acme/restore', {})).status, 202)
  await town.reaches(back, 'acme', 'running')

  await leave()
  await town.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 20 })
  await muchLater()
  const accounts = town.program.services.auth?.accounts.list()
  assert.deepEqual(
    accounts?.map(({ email, name }) => [email, name]),
    [['', null]],
  )
  const sqlite = openSqlite(join(root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  const rows = sqlite.prepare('select owner_email from provisioner_instances').all()
  assert.deepEqual(rows, [{ owner_email: '' }])
})
