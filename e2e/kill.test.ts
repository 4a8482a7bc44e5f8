import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'

/** Processes whose environment carries this text: instances, and the runs in them. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
      } catch {
        return false
      }
    })
}

for (const { driver, skip } of drivers) {
  test(`a control plane that was killed at any moment resumes its work, ${driver} driver`, {
    skip,
  }, async t => {
    const dataRoot = temporaryFolder(t)
    const kills = driver === 'process' ? [0, 5, 15, 40, 90, 180, 300] : [0, 20, 60, 120, 250, 500]
    const passwords = new Map<string, string>()
    for (const [i, afterMs] of kills.entries()) {
      const longhouse = await startLonghouse(t, { driver, dataRoot })
      const subdomain = `box-${i}`
      const accepted = await longhouse.admin('/admin/instances', {
        body: { subdomain, owner_email: 'ada@example.com' },
      })
      assert.equal(accepted.status, 202)
      passwords.set(subdomain, accepted.json<InstanceJson & { password: string }>().password)
      await new Promise(resolve => setTimeout(resolve, afterMs))
      await longhouse.end('SIGKILL')
    }
    const longhouse = await startLonghouse(t, { driver, dataRoot })
    const startedAt = performance.now()
    for (const [subdomain, password] of passwords) {
      await eventually(
        `${subdomain} runs`,
        async () =>
          (await longhouse.admin(`/admin/instances/${subdomain}`)).json<InstanceJson>().status === 'running',
      )
      t.diagnostic(`${subdomain} runs after ${Math.round(performance.now() - startedAt)} ms`)
      assert.equal((await (await longhouse.login(subdomain, password))('/api/jobs')).status, 200)
    }

    const removed = 'box-0'
    await longhouse.admin('/admin/instances/box-4', { method: 'DELETE', wait: 30 })
    // All of them are in progress, or not even begun, when it is killed.
    const [, , , given] = await Promise.all([
      longhouse.admin(`/admin/instances/${removed}?purge=true`, { method: 'DELETE' }),
      longhouse.admin('/admin/instances/box-2', { method: 'DELETE' }),
      longhouse.admin('/admin/instances/box-3/stop', { method: 'POST' }),
      longhouse.admin('/admin/instances/box-5/transfer', { body: { owner_email: 'eve@example.com' } }),
      longhouse.admin('/admin/instances/box-4/restore', { method: 'POST' }),
    ])
    await longhouse.end('SIGKILL')
    const last = await startLonghouse(t, { driver, dataRoot })
    await eventually(
      'the purge was finished',
      async () => (await last.admin(`/admin/instances/${removed}`)).status === 404,
    )
    assert.equal(existsSync(join(dataRoot, removed)), false)
    for (const [subdomain, status] of [
      ['box-2', 'deleted'],
      ['box-3', 'stopped'],
      ['box-4', 'running'],
      ['box-5', 'running'],
    ] as const) {
      await eventually(`${subdomain} is ${status}`, async () => {
        const instance = (await last.admin(`/admin/instances/${subdomain}`)).json<InstanceJson>()
        return instance.status === status && instance.operation?.status === 'succeeded'
      })
      assert.equal(existsSync(join(dataRoot, subdomain, 'jobs', 'manifest.ts')), true)
    }
    const { password } = given.json<{ password: string }>()
    assert.equal((await (await last.login('box-5', password))('/api/jobs')).status, 200)
    await assert.rejects(last.login('box-5', passwords.get('box-5') ?? ''), /no login: 401/)
  })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`instances of the process driver end with the control plane, ${signal}`, async t => {
    const longhouse = await startLonghouse(t, { driver: 'process' })
    await longhouse.provision('acme')
    assert.ok(processesWith(join(longhouse.dataRoot, 'acme')).length >= 1)
    const code = await longhouse.end(signal)
    if (signal !== 'SIGKILL') assert.equal(code, 0)
    await eventually('nothing is left', () => processesWith(join(longhouse.dataRoot, 'acme')).length === 0)
  })
}

test('a second control plane on the same data is refused, and says why', async t => {
  const longhouse = await startLonghouse(t, { driver: 'process' })
  await assert.rejects(
    startLonghouse(t, { driver: 'process', dataRoot: longhouse.dataRoot }),
    /another control plane/,
  )
})

test('every configuration fault is reported at once, and the exit code is 1', async t => {
  const env = {
    LONGHOUSE_DOMAIN: 'Not a domain',
    LONGHOUSE_PORT: '99999',
    ADMIN_TOKEN: 'short',
    PROVISIONER_DRIVER: 'kubernetes',
    ROUTER_MODE: 'sideways',
    HEALTH_INTERVAL: 'often',
  }
  const { PROVISIONER_DRIVER, ...rest } = env
  const error = await startLonghouse(t, { driver: PROVISIONER_DRIVER as 'process', env: rest }).then(
    () => assert.fail('it started'),
    (error: Error) => error.message,
  )
  assert.match(error, /ended with 1/)
  for (const name of Object.keys(env)) assert.match(error, new RegExp(name))
  assert.doesNotMatch(error, /short\b.*ADMIN/)
})

test('the process driver is refused in production', async t => {
  const error = await startLonghouse(t, { driver: 'process', env: { NODE_ENV: 'production' } }).then(
    () => assert.fail('it started'),
    (error: Error) => error.message,
  )
  assert.match(error, /PROVISIONER_DRIVER.*isolates nothing/)
})
