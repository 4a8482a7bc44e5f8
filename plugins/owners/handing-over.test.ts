import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifyPassword } from '../../src/password.ts'
import { openSqlite } from '../../src/storage/database.ts'
import { memoryFolder } from '../../src/testing/folder.ts'
import { openTown } from './owners.fixture.ts'

test('an owner who keeps resetting the password has none that opens the instance after it is transferred', async t => {
  const root = memoryFolder(t)
  const town = await openTown(t, { root })
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  const account = town.program.services.auth?.accounts.list()[0]
  const own = account && town.program.services.provisioner?.owned(account)
  assert.ok(own)
  let reset = 0
  // Some are always in progress: what begins before the transfer would end after it.
  const again = async (): Promise<never> => {
    await own.resetPassword('acme')
    reset++
    return again()
  }
  const loops = Array.from({ length: 8 }, () => again().catch(error => error.code))
  const body = { owner_email: 'grace@example.com' }
  const given = await town.admin('POST', '/admin/instances/acme/transfer', { body })
  assert.equal(given.status, 202)
  assert.deepEqual(new Set(await Promise.all(loops)), new Set(['unknown-instance']))
  assert.ok(reset > 0, 'as long as it was theirs they could')
  const sqlite = openSqlite(join(root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  const [row] = sqlite.prepare('select password_hash from provisioner_instances').all() as {
    password_hash: string
  }[]
  assert.ok(await verifyPassword(given.body.password ?? '', row?.password_hash ?? ''))
})
