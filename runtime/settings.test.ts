import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BootError } from '../src/boot-error.ts'
import { silentLog } from '../src/log.ts'
import { hashPassword } from '../src/password.ts'
import { ssoSettings } from './auth/settings.ts'
import { named, planRuntime } from './boot.ts'
import { plugins } from './program.ts'
import type { VolumeSettings } from './volume/contract.ts'

type Values = Record<string, string | number> & { LONGHOUSE_PASSWORD: string }

/** The settings as the plugins parse them, and what was said of variables that look like settings. */
function plan(env: Record<string, string>, spawned: boolean) {
  const said: unknown[] = []
  const log = Object.assign(Object.create(silentLog) as typeof silentLog, {
    warn: (words: unknown) => said.push(words),
  })
  const planned = planRuntime({ plugins, env: named({ env, spawned }), log }, () => {
    throw new Error('nothing is opened')
  })
  const of = (plugin: string) => planned.configs.get(plugin) as Values
  return { of, said }
}

function readSettings(env: Record<string, string>, { spawned }: { spawned: boolean }) {
  const { of } = plan(env, spawned)
  const volume = planned(of('volume'))
  const jobs = of('jobs')
  return {
    ...volume,
    password: of('auth').LONGHOUSE_PASSWORD,
    sso: ssoSettings(of('auth') as unknown as Parameters<typeof ssoSettings>[0]),
    timezone: jobs.LONGHOUSE_TIMEZONE,
    keep: { runsPerJob: jobs.LONGHOUSE_KEEP_RUNS, ageMs: jobs.LONGHOUSE_KEEP_FOR },
  }
}

const planned = (config: unknown) => config as VolumeSettings
const strangeVariables = (env: Record<string, string>) => plan(env, false).said

const byHand = { spawned: false }

function faults(env: Record<string, string>, how = byHand): readonly string[] {
  try {
    readSettings(env, how)
    return []
  } catch (error) {
    assert.ok(error instanceof BootError)
    return error.faults
  }
}

test('a runtime started by hand needs only a password', () => {
  const settings = readSettings({ LONGHOUSE_PASSWORD: 'correct horse' }, byHand)
  assert.deepEqual(
    [settings.instanceId, settings.dataDir, settings.host, settings.port, settings.timezone],
    ['inst_local', '/data', '127.0.0.1', 8080, 'UTC'],
  )
})

test('a control plane and a container must set the instance id', () => {
  const password = { LONGHOUSE_PASSWORD: 'correct horse' }
  assert.match(faults(password, { spawned: true })[0] ?? '', /^LONGHOUSE_INSTANCE_ID: must be set/)
  assert.match(
    faults({ ...password, NODE_ENV: 'production' })[0] ?? '',
    /^LONGHOUSE_INSTANCE_ID: must be set/,
  )
  const named = { ...password, LONGHOUSE_INSTANCE_ID: 'inst_1' }
  assert.equal(readSettings(named, { spawned: true }).instanceId, 'inst_1')
})

test('every fault is reported at once by its variable, without repeating a value', () => {
  const found = faults({
    LONGHOUSE_INSTANCE_ID: 'has spaces',
    LONGHOUSE_PUBLIC_URL: 'acme.example.com/x',
    LONGHOUSE_PORT: '80a',
    LONGHOUSE_PASSWORD: 'secret7',
    LONGHOUSE_TRUSTED_PROXIES: '10.0.0.0/8,nonsense',
    LONGHOUSE_TIMEZONE: 'Europe/Berlln',
  })
  assert.deepEqual(found.map(fault => fault.split(':')[0]).sort(), [
    'LONGHOUSE_INSTANCE_ID',
    'LONGHOUSE_PASSWORD',
    'LONGHOUSE_PORT',
    'LONGHOUSE_PUBLIC_URL',
    'LONGHOUSE_TIMEZONE',
    'LONGHOUSE_TRUSTED_PROXIES',
  ])
  assert.ok(!found.join().includes('secret7'))
})

test('a password is at least eight characters, or an argon2id hash', async () => {
  const hash = await hashPassword('correct horse')
  assert.equal(readSettings({ LONGHOUSE_PASSWORD: hash }, byHand).password, hash)
  for (const LONGHOUSE_PASSWORD of [
    '',
    'seven77',
    '$2b$10$abcdefghijklmnopqrstuv',
    '$argon2i$v=19$m=1,t=1,p=1$x$y',
  ]) {
    assert.match(
      faults({ LONGHOUSE_PASSWORD })[0] ?? '',
      /^LONGHOUSE_PASSWORD: must be a password of at least 8/,
    )
  }
})

test('a key for secrets is 32 bytes in base64, and a wrong one is not repeated', () => {
  const key = Buffer.alloc(32, 7)
  const settings = readSettings(
    { LONGHOUSE_PASSWORD: 'correct horse', LONGHOUSE_SECRET_KEY: key.toString('base64') },
    byHand,
  )
  assert.deepEqual(settings.secretKey, key)
  assert.deepEqual(faults({ LONGHOUSE_PASSWORD: 'correct horse', LONGHOUSE_SECRET_KEY: 'c2hvcnQ=' }), [
    'LONGHOUSE_SECRET_KEY: must be 32 random bytes in base64',
  ])
})

test('single sign-on needs an address and a set of keys', () => {
  const password = { LONGHOUSE_PASSWORD: 'correct horse' }
  const issuer = 'https://control.example.com'
  assert.equal(readSettings(password, byHand).sso, null)
  const keys = { keys: [{ kid: 'key_1', kty: 'OKP', crv: 'Ed25519', x: 'abc' }] }
  const env = { ...password, LONGHOUSE_SSO_ISSUER: issuer, LONGHOUSE_SSO_KEYS: JSON.stringify(keys) }
  assert.deepEqual(readSettings(env, byHand).sso, { issuer, keys })
  for (const LONGHOUSE_SSO_ISSUER of ['control.example.com', 'https://x.example/path', 'ftp://x.example']) {
    assert.match(
      faults({ ...env, LONGHOUSE_SSO_ISSUER })[0] ?? '',
      /^LONGHOUSE_SSO_ISSUER: must be the address/,
    )
  }
  for (const LONGHOUSE_SSO_KEYS of ['key_1', '[]', '{"keys": [{"kty": "OKP"}]}']) {
    assert.match(
      faults({ ...env, LONGHOUSE_SSO_KEYS })[0] ?? '',
      /^LONGHOUSE_SSO_KEYS: must be a JSON Web Key Set/,
    )
  }
})

test('the stop limit and the retention have defaults, formats and bounds', () => {
  const read = (env: Record<string, string>) =>
    readSettings({ LONGHOUSE_PASSWORD: 'correct horse', ...env }, byHand)
  const standard = read({})
  assert.deepEqual(
    [standard.stopGraceMs, standard.keep],
    [30_000, { runsPerJob: 500, ageMs: 90 * 86_400_000 }],
  )
  const chosen = read({ LONGHOUSE_STOP_GRACE: '5m', LONGHOUSE_KEEP_RUNS: '20', LONGHOUSE_KEEP_FOR: '365d' })
  assert.deepEqual([chosen.stopGraceMs, chosen.keep], [300_000, { runsPerJob: 20, ageMs: 365 * 86_400_000 }])
  const wrong = { LONGHOUSE_STOP_GRACE: 'soon', LONGHOUSE_KEEP_RUNS: '0', LONGHOUSE_KEEP_FOR: '5' }
  const told = faults({ LONGHOUSE_PASSWORD: 'correct horse', ...wrong })
  for (const name of Object.keys(wrong))
    assert.ok(
      told.some(fault => fault.startsWith(name)),
      name,
    )
})

test('a misspelt setting is reported, and does not stop the start', () => {
  const env = {
    LONGHOUSE_PASSWORD: 'correct horse',
    LONGHOUSE_KEEP_RUN: '5',
    LONGHOUSE_SHINY: 'x',
    LOG_LEVEL: 'warn',
  }
  assert.equal(readSettings(env, byHand).keep.runsPerJob, 500)
  assert.deepEqual(strangeVariables(env), [
    'LONGHOUSE_KEEP_RUN: no setting has this name; did you mean LONGHOUSE_KEEP_RUNS?',
    'LONGHOUSE_SHINY: no setting has this name, so that it does nothing; the nearest is LONGHOUSE_HOST',
  ])
})

test('a list of plugins that lacks one which the program itself needs does not boot', () => {
  const auth = plugins.filter(({ name }) => name === 'auth')
  const env = { LONGHOUSE_PASSWORD: 'correct horse', LONGHOUSE_INSTANCE_ID: 'inst_test' }
  const withoutJobs = () =>
    planRuntime({ plugins: auth, env, log: silentLog }, () => {
      throw new Error('nothing is opened')
    })
  assert.throws(withoutJobs, (error: BootError) => {
    assert.deepEqual(error.faults, ['the program needs the plugin "jobs", which is not there'])
    return true
  })
})
