import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifyPassword } from '../../../src/password.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

test('the password that is shown matches the hash that the instance gets', async t => {
  const fleet = await testFleet(t)
  const { body } = await fleet.provision('acme')
  const environment = environmentOf(fleet, 'acme')
  assert.equal(await verifyPassword(body.password ?? '', hashOf(environment)), true)
  assert.equal(await verifyPassword('another', hashOf(environment)), false)
  assert.ok(!environment.some(entry => entry.startsWith('ADMIN_TOKEN')))
})

test('a reset password is shown once and replaces the old one', async t => {
  const fleet = await testFleet(t)
  const { password: first = '' } = (await fleet.provision('acme')).body
  const reset = (wait: number) => fleet.admin('POST', '/admin/instances/acme/reset-password', { wait })
  const running = await reset(60)
  assert.equal(running.status, 200)
  assert.deepEqual([running.body.status, running.body.operation?.kind], ['running', 'reset-password'])
  const second = running.body.password ?? ''
  assert.match(second, /^\w{5}(-\w{5}){3}$/)
  const hash = hashOf(environmentOf(fleet, 'acme'))
  assert.deepEqual([await verifyPassword(second, hash), await verifyPassword(first, hash)], [true, false])
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.password, undefined)

  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const stopped = await reset(60)
  assert.deepEqual([stopped.status, stopped.body.status], [200, 'stopped'], 'it is not started for that')
  await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal(await verifyPassword(stopped.body.password ?? '', hashOf(environmentOf(fleet, 'acme'))), true)

  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.equal((await reset(0)).status, 409)
  assert.equal((await fleet.admin('POST', '/admin/instances/nobody/reset-password')).status, 404)
  const noToken = { headers: { Authorization: 'Bearer wrong-wrong-wrong-wrong' } }
  assert.equal((await fleet.admin('POST', '/admin/instances/acme/reset-password', noToken)).status, 401)
})

/** The environment of an instance's newest process. */
function environmentOf(fleet: TestFleet, subdomain: string): string[] {
  const boots = readFileSync(join(fleet.root, subdomain, 'boots'), 'utf8')
    .trim()
    .split('\n')
  return readFileSync(`/proc/${boots.at(-1)}/environ`, 'utf8').split('\0')
}

function hashOf(environment: readonly string[]): string {
  const name = 'LONGHOUSE_PASSWORD='
  return environment.find(entry => entry.startsWith(name))?.slice(name.length) ?? ''
}
