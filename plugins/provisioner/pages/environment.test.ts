import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { audit } from '../../audit/index.ts'
import { tokens } from '../../tokens/index.ts'
import { testFleet } from '../fleet.fixture.ts'

const path = '/admin/instances/acme/environment'
const browser = { Accept: 'text/html' }

interface Environment {
  variables: { name: string; value: string | null; secret: boolean; updated_by: string | null }[]
  applies_at_next_restart: boolean
}

async function startFleet(t: TestContext, options: Parameters<typeof testFleet>[1] = {}) {
  const fleet = await testFleet(t, { plugins: [audit, tokens], ...options })
  if (!existsSync(join(fleet.root, 'acme'))) await fleet.provision('acme')
  const greetings = () => {
    const file = join(fleet.root, 'acme', 'greetings')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  return { fleet, greetings, environment: async () => (await fleet.admin<Environment>('GET', path)).body }
}

test('a variable applies at the next restart, or by one; its value is sealed, masked and in no answer', async t => {
  const { fleet, greetings, environment } = await startFleet(t)
  const secret = 'good-morning-acme'
  const set = await fleet.admin('POST', path, { body: { name: 'GREETING', value: secret } })
  assert.equal(set.status, 200)
  assert.equal((await environment()).applies_at_next_restart, true)
  assert.deepEqual(greetings(), [])
  const page = await fleet.admin<string>('GET', '/admin/instances/acme', { headers: browser })
  assert.match(page.body, /Changed variables apply at the next restart/)

  writeFileSync(join(fleet.root, 'acme', 'speak'), 'x')
  await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.deepEqual(greetings(), [secret])
  assert.equal((await environment()).applies_at_next_restart, false)

  const again = await fleet.admin('POST', path, {
    body: { name: 'GREETING', value: 'good-evening-acme', restart: true },
    wait: 60,
  })
  assert.equal(again.body.operation?.kind, 'restart')
  assert.deepEqual(greetings(), [secret, 'good-evening-acme'])

  const log = await fleet.admin<string>('GET', '/admin/instances/acme/log')
  assert.match(log.body, /hello, \*+$/m)
  const shown = [
    JSON.stringify(await environment()),
    (await fleet.admin<string>('GET', path, { headers: browser })).body,
    JSON.stringify((await fleet.admin('GET', '/admin/audit')).body),
    readFileSync(join(fleet.root, '.control', 'longhouse.db'), 'latin1'),
  ]
  for (const text of shown) assert.ok(!/good-(morning|evening)-acme/.test(text))
  assert.match(shown[2] ?? '', /set GREETING/)

  await fleet.admin('POST', `${path}/remove`, { body: { name: 'GREETING', restart: true }, wait: 60 })
  assert.equal(greetings().length, 2)
  assert.deepEqual(await environment(), { variables: [], applies_at_next_restart: false })
})

test('a plain variable is shown and leaves the log as it was written; one that is set again is a secret by default', async t => {
  const { fleet, environment } = await startFleet(t)
  const set = (body: object) => fleet.admin('POST', path, { body: { name: 'GREETING', ...body } })
  const shown = async () => (await environment()).variables.map(({ value, secret }) => ({ value, secret }))
  const page = async () => (await fleet.admin<string>('GET', path, { headers: browser })).body
  writeFileSync(join(fleet.root, 'acme', 'speak'), 'Warning: late')
  await set({ value: 'warn', secret: false, restart: true })
  await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  const log = async () => (await fleet.admin<string>('GET', '/admin/instances/acme/log')).body
  assert.match(await log(), /hello, warn$/m)
  assert.match(await log(), /Warning: late$/m)
  assert.deepEqual(await shown(), [{ value: 'warn', secret: false }])
  assert.match(await page(), /<code>warn<\/code>/)
  const wrong = await set({ value: 'warn', secret: 'maybe' })
  assert.equal(wrong.status, 422)
  await set({ value: 'hidden-from-now-on' })
  assert.deepEqual(await shown(), [{ value: null, secret: true }])
  assert.doesNotMatch(await page(), /hidden-from-now-on/)
})

test('names that the platform goes by, and bad values, are refused by field, and change nothing', async t => {
  const { fleet, environment } = await startFleet(t)
  for (const [body, field] of [
    [{ name: 'LONGHOUSE_PASSWORD', value: 'x' }, 'name'],
    [{ name: 'longhouse_port', value: 'x' }, 'name'],
    [{ name: 'NODE_OPTIONS', value: '--inspect=0.0.0.0' }, 'name'],
    [{ name: 'LD_PRELOAD', value: '/data/x.so' }, 'name'],
    [{ name: 'PATH', value: '/data' }, 'name'],
    ...[
      ...[
        'NODE_EXTRA_CA_CERTS',
        'NODE_TLS_REJECT_UNAUTHORIZED',
        'NODE_V8_COVERAGE',
        'NODE_REPL_EXTERNAL_MODULE',
      ],
      ...[
        'OPENSSL_CONF',
        'OPENSSL_MODULES',
        'SSL_CERT_FILE',
        'GIT_EXEC_PATH',
        'GIT_SSH_COMMAND',
        'CURL_HOME',
      ],
      ...['LD_AUDIT', 'GLIBC_TUNABLES', 'npm_config_registry', 'BASH_ENV', '__proto__'],
    ].map(name => [{ name, value: 'x' }, 'name'] as const),
    [{ name: '1ST', value: 'x' }, 'name'],
    [{ name: 'A=B', value: 'x' }, 'name'],
    [{ name: 'GREETING', value: '' }, 'value'],
    [{ name: 'GREETING', value: 'a\0b' }, 'value'],
    [{ name: 'GREETING', value: 'x'.repeat(8193) }, 'value'],
    [{ value: 'x' }, 'name'],
  ] as const) {
    const { status, body: answer } = await fleet.admin<{ errors: { path: string }[] }>('POST', path, { body })
    assert.deepEqual([status, answer.errors?.[0]?.path], [422, field], JSON.stringify(body).slice(0, 60))
  }
  assert.deepEqual((await environment()).variables, [])
  assert.equal((await fleet.admin('POST', `${path}/remove`, { body: { name: 'NONE' } })).status, 404)
})

test('variables survive a restart of the control plane, and go with the data', async t => {
  const { fleet } = await startFleet(t)
  await fleet.admin('POST', path, { body: { name: 'GREETING', value: 'hello-again' } })
  await fleet.program.stop()
  const next = await startFleet(t, { root: fleet.root })
  await next.fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.ok(next.greetings().includes('hello-again'))
  await next.fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  await next.fleet.provision('acme')
  assert.deepEqual((await next.environment()).variables, [])
})

test('those who only read see names, and strangers nothing', async t => {
  const { fleet } = await startFleet(t)
  const body = { name: 'GREETING', value: 'hello-there' }
  const { secret } = (
    await fleet.admin<{ secret: string }>('POST', '/admin/tokens', { body: { name: 'watch', role: 'read' } })
  ).body
  const reader = { Authorization: `Bearer ${secret}` }
  assert.equal((await fleet.admin('POST', path, { body, headers: reader })).status, 403)
  assert.equal((await fleet.admin('POST', path, { body })).status, 200)
  const read = await fleet.admin<Environment>('GET', path, { headers: reader })
  assert.deepEqual(
    read.body.variables.map(({ name }) => name),
    ['GREETING'],
  )
  const stranger = { Authorization: 'Bearer wrong' }
  assert.equal((await fleet.admin('GET', path, { headers: stranger })).status, 401)
  assert.equal((await fleet.admin('POST', path, { body, headers: stranger })).status, 401)
})
