import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BootError } from '../../../src/boot-error.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { testFleet } from '../fleet.fixture.ts'

const keyFile = (root: string) => join(root, '.control', 'instance-secrets-key')

/** The environment of the newest process of an instance, by name. */
function told(root: string, subdomain: string): Record<string, string> {
  const boots = readFileSync(join(root, subdomain, 'boots'), 'utf8')
    .trim()
    .split('\n')
  const entries = readFileSync(`/proc/${boots.at(-1)}/environ`, 'utf8').split('\0')
  return Object.fromEntries(entries.map(entry => [entry.split('=')[0], entry.slice(entry.indexOf('=') + 1)]))
}

test('each instance gets its own key for its secrets, the same one after every restart', async t => {
  const root = temporaryFolder(t)
  const fleet = await testFleet(t, { root })
  await Promise.all([fleet.provision('acme'), fleet.provision('zeta')])
  const { LONGHOUSE_SECRET_KEY: acme = '' } = told(root, 'acme')
  assert.equal(Buffer.from(acme, 'base64').length, 32)
  assert.notEqual(told(root, 'zeta').LONGHOUSE_SECRET_KEY, acme)
  const main = readFileSync(keyFile(root), 'utf8').trim()
  assert.ok(!Object.values(told(root, 'acme')).includes(main), 'the key they are made from stays here')
  assert.equal(statSync(keyFile(root)).mode & 0o777, 0o600)
  await fleet.program.stop()

  const again = await testFleet(t, { root })
  // Its record says that it runs, so a start would be answered before the process is back.
  await again.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.equal(told(root, 'acme').LONGHOUSE_SECRET_KEY, acme)
})

test('an unreadable key stops the boot, and is left as it is', async t => {
  const root = temporaryFolder(t)
  await (await testFleet(t, { root })).program.stop()
  writeFileSync(keyFile(root), 'half a k')
  await assert.rejects(
    testFleet(t, { root }),
    error => error instanceof BootError && /INSTANCE_SECRETS_KEY: .*holds no key/.test(error.message),
  )
  assert.equal(readFileSync(keyFile(root), 'utf8'), 'half a k')
  await assert.rejects(
    testFleet(t, { env: { INSTANCE_SECRETS_KEY: 'short', INSTANCE_SMTP_URL: 'smtp://mail.example.com' } }),
    error =>
      error instanceof BootError &&
      /INSTANCE_SECRETS_KEY: must be 32 random bytes/.test(error.message) &&
      /INSTANCE_SMTP_FROM: must be set beside INSTANCE_SMTP_URL/.test(error.message),
  )
})

test('instances get the mail server that the operator offers, and no other of the operator’s settings', async t => {
  const given = Buffer.alloc(32, 7).toString('base64')
  const fleet = await testFleet(t, {
    env: {
      INSTANCE_SECRETS_KEY: given,
      INSTANCE_SMTP_URL: 'smtp://box:word@mail.example.com:587',
      INSTANCE_SMTP_FROM: 'jobs@example.com',
    },
  })
  await fleet.provision('acme')
  const env = told(fleet.root, 'acme')
  assert.equal(env.SMTP_URL, 'smtp://box:word@mail.example.com:587')
  assert.equal(env.SMTP_FROM, 'jobs@example.com')
  assert.notEqual(env.LONGHOUSE_SECRET_KEY, given)
  assert.ok(!Object.keys(env).some(name => name.startsWith('INSTANCE_')))
})
