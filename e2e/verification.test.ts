import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../src/testing/eventually.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'

/**
 * The platform's verification flow with plain curl: provision, health, jobs repo, remove. Against a deployment:
 *
 *   LONGHOUSE_E2E_URL=https://control.example.com LONGHOUSE_E2E_TOKEN=… \
 *     node --import tsx --test e2e/verification.test.ts
 */
const run = promisify(execFile)

interface Deployment {
  control: string
  token: string
  instance(subdomain: string): string
}

async function curl(...args: string[]): Promise<{ status: number; body: string }> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '60', '-w', '\n%{http_code}', ...args])
  const end = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) }
}

async function verify({ control, token, instance }: Deployment, subdomain: string): Promise<void> {
  const bearer = `Authorization: Bearer ${token}`
  const body = JSON.stringify({ subdomain, owner_email: 'test@example.com' })
  const created = await curl('-X', 'POST', `${control}/admin/instances`, '-H', bearer, '-d', body)
  assert.equal(created.status, 202, created.body)
  const record = JSON.parse(created.body) as InstanceJson
  assert.equal(record.subdomain, subdomain)
  assert.equal(record.owner_email, 'test@example.com')
  assert.match(record.id, /^inst_/)
  assert.ok(record.password)

  // Right away: a request while the instance starts is held until it answers.
  const health = await curl(`${instance(subdomain)}/api/health`)
  assert.equal(health.status, 200, health.body)
  assert.equal((JSON.parse(health.body) as { instance_id: string }).instance_id, record.id)

  const repo = await curl(`${instance(subdomain)}/api/jobs/repo`)
  assert.equal(repo.status, 200)
  assert.deepEqual(JSON.parse(repo.body), { initialized: true })

  const refused = await curl('-X', 'DELETE', `${control}/admin/instances/${subdomain}`)
  assert.equal(refused.status, 401)
  assert.equal((await curl(`${instance(subdomain)}/api/health`)).status, 200)

  const removed = await curl('-X', 'DELETE', `${control}/admin/instances/${subdomain}`, '-H', bearer)
  assert.ok([200, 202].includes(removed.status), removed.body)
  await eventually(
    'the instance is gone',
    async () => (await curl(`${instance(subdomain)}/api/health`)).status === 404,
  )
  const kept = await curl(`${control}/admin/instances/${subdomain}`, '-H', bearer)
  assert.equal((JSON.parse(kept.body) as InstanceJson).desired, 'deleted')
}

const deployed = process.env.LONGHOUSE_E2E_URL
const token = process.env.LONGHOUSE_E2E_TOKEN

if (deployed && token) {
  const url = new URL(deployed)
  const domain = url.host.replace(/^control\./, '')
  const instance = (subdomain: string) => `${url.protocol}//${subdomain}.${domain}`
  test(`the verification flow against ${url.host}`, async () => {
    const subdomain = `e2e-${Date.now().toString(36)}`
    await verify({ control: url.origin, token, instance }, subdomain)
    await curl(
      '-X',
      'DELETE',
      `${url.origin}/admin/instances/${subdomain}?purge=true`,
      '-H',
      `Authorization: Bearer ${token}`,
    )
  })
} else {
  for (const { driver, skip } of drivers) {
    test(`the verification flow with plain curl, ${driver} driver`, { skip }, async t => {
      const { port, token, dataRoot } = await startLonghouse(t, { driver })
      const instance = (subdomain: string) => `http://${subdomain}.localhost:${port}`
      await verify({ control: instance('control'), token, instance }, 'e2etest')
      assert.ok(existsSync(join(dataRoot, 'e2etest', 'jobs', 'manifest.ts')), 'the volume is kept')
    })
  }
}
