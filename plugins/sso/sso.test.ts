import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { systemClock } from '../../src/clock.ts'
import { parseConfig } from '../../src/kernel/config.ts'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type OwnerBrowser, openTown, type Town } from '../owners/owners.fixture.ts'
import type { InstanceSpec } from '../provisioner/driver.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { sso } from './index.ts'
import { keyRing, publishedMs } from './key-ring.ts'
import * as schema from './schema.ts'
import { ssoConfig } from './settings.ts'

const day = 24 * 3_600_000
const nonce = 'n'.repeat(43)

async function withInstance(town: Town, owner: OwnerBrowser, subdomain: string): Promise<string> {
  const made = await owner.call('POST', '/instances', { subdomain })
  await town.reaches(owner, subdomain, 'running')
  return made.json<{ id: string }>().id
}
const ask = (browser: OwnerBrowser, id: string, of = nonce) =>
  browser.visit(`/auth/bridge?instance=${id}&nonce=${of}`)
const keysOf = async (town: Town) => {
  const reply = await town.browser().call('GET', '/.well-known/jwks.json')
  return reply.json<JSONWebKeySet>()
}

test('an owner is redirected to the instance with a token for it and this browser, valid for a minute', async t => {
  const town = await openTown(t, { plugins: [sso] })
  const ada = await town.owner('ada')
  const id = await withInstance(town, ada, 'acme')
  const reply = await ask(ada, id)
  assert.equal(reply.status, 303)
  assert.equal(reply.headers['cache-control'], 'no-store')
  const location = new URL(reply.headers.location ?? '')
  assert.equal(location.origin, `http://acme.localhost:${town.port}`)
  assert.deepEqual([location.pathname, [...location.searchParams.keys()]], ['/', ['token']])
  const token = location.searchParams.get('token') ?? ''
  const keys = await keysOf(town)
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: `http://control.localhost:${town.port}`,
    audience: id,
  })
  assert.equal(protectedHeader.kid, keys.keys[0]?.kid)
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
  assert.match(payload.sub ?? '', /^acct_/)
  assert.deepEqual([payload.email, payload.nonce], ['ada@example.com', nonce])
  const again = new URL((await ask(ada, id)).headers.location ?? '').searchParams.get('token') ?? ''
  assert.notEqual(JSON.parse(atob(again.split('.')[1] ?? '')).jti, payload.jti)
  assert.ok(
    keys.keys.every(key => !('d' in key)),
    'no private key is published',
  )
})

test('an owner returns to the domain where the sign-in began, if it is one of the instance', async t => {
  const town = await openTown(t, { plugins: [sso] })
  const ada = await town.owner('ada')
  const id = await withInstance(town, ada, 'acme')
  const router = town.program.services.router
  router?.setRule('acme', 'hosts', ['jobs.acme.test'])
  router?.setRule('other', 'hosts', ['other.test'])
  const returnsTo = async (host: string) => {
    const path = `/auth/bridge?instance=${id}&nonce=${nonce}&host=${encodeURIComponent(host)}`
    return new URL((await ada.visit(path)).headers.location ?? '').origin
  }
  for (const host of ['jobs.acme.test', 'JOBS.acme.test:1234'])
    assert.equal(await returnsTo(host), `http://jobs.acme.test:${town.port}`)
  for (const host of [
    '',
    'other.test',
    'evil.test',
    'jobs.acme.test.evil.test',
    'evil.test/@jobs.acme.test',
    'control.localhost',
  ])
    assert.equal(await returnsTo(host), `http://acme.localhost:${town.port}`, host)
})

test('another owner, a stranger and the operator get no token, nor does a removed instance', async t => {
  const town = await openTown(t, { plugins: [sso] })
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  const id = await withInstance(town, ada, 'acme')
  for (const [who, reply] of [
    ['another owner', await ask(bob, id)],
    ['a guess', await ask(ada, 'inst_of_nobody')],
  ] as const) {
    assert.equal(reply.status, 404, who)
    assert.equal(reply.headers.location, undefined)
  }
  const stranger = await ask(town.browser(), id)
  assert.match(stranger.headers.location ?? '', /^\/sign-in\?next=%2Fauth%2Fbridge%3Finstance/)
  const operator = { Authorization: 'Bearer a-token-that-only-the-operator-has' }
  const path = `/auth/bridge?instance=${id}&nonce=${nonce}`
  assert.equal((await town.browser().call('GET', path, undefined, operator)).status, 401)
  for (const query of ['', `instance=${id}`, `instance=${id}&nonce=short`, `instance=..%2F&nonce=${nonce}`]) {
    assert.equal((await ada.call('GET', `/auth/bridge?${query}`)).status, 422, query)
  }
  await ada.call('POST', '/instances/acme/remove', {})
  assert.equal((await ask(ada, id)).status, 404)
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  assert.equal((await ask(ada, id)).status, 303)
})

test('keys rotate without an outage: each is published from a day before its first to a day after its last signature', t => {
  const clock = manualClock()
  const root = temporaryFolder(t)
  const sqlite = openSqlite(join(root, 'keys.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'bridge', { schema, migrations: 'plugins/sso/migrations' })
  const seal = openSeal({ given: null, keyFile: join(root, 'key') })
  const ring = keyRing(db, clock, seal, 90 * day)
  const published = () => ring.published().keys.map(key => key.kid ?? '')
  ring.rotate()
  const first = ring.signing().id
  for (let hours = 0; hours < 90 * 24; hours++) {
    clock.advance(3_600_000)
    ring.rotate()
    assert.equal(ring.signing().id, first, `after ${hours} hours`)
  }
  const [, second = ''] = published()
  assert.equal(published().length, 2)
  clock.advance(publishedMs)
  ring.rotate()
  assert.equal(ring.signing().id, second)
  assert.deepEqual(published(), [first, second], 'what was signed a minute ago is still believed')
  assert.equal(db.select().from(schema.keys).all()[0]?.sealedPrivateJwk, null, 'the old one can sign no more')
  clock.advance(publishedMs + 1)
  ring.rotate()
  assert.deepEqual(published(), [second])

  // The file with the sealing key is lost: a new key signs at once, and the old one is forgotten.
  const anew = keyRing(db, clock, openSeal({ given: null, keyFile: join(root, 'other') }), 90 * day)
  const third = anew.signing().id
  assert.notEqual(third, second)
  anew.rotate()
  assert.equal(anew.signing().id, third)
})

test('a database from when the plugin was called bridge still opens, and its keys sign', async t => {
  const root = temporaryFolder(t)
  const folder = join(root, '.control')
  mkdirSync(folder, { mode: 0o700 })
  const sqlite = openSqlite(join(folder, 'longhouse.db'))
  const db = openTables(sqlite, 'bridge', { schema, migrations: 'plugins/sso/migrations' })
  const seal = openSeal({ given: null, keyFile: join(folder, 'bridge-seal-key') })
  const { id: oldKey } = keyRing(db, systemClock, seal, 90 * day).signing()
  sqlite.close()

  const town = await openTown(t, { plugins: [sso], root, clock: systemClock })
  assert.deepEqual(
    (await keysOf(town)).keys.map(({ kid }) => kid),
    [oldKey],
  )
  const ada = await town.owner('ada')
  const location = (await ask(ada, await withInstance(town, ada, 'acme'))).headers.location ?? ''
  const token = new URL(location).searchParams.get('token') ?? ''
  assert.equal(decodeProtectedHeader(token).kid, oldKey)
})

test('BRIDGE_KEY_LIFE still works; together with a different SSO_KEY_LIFE it is a fault', () => {
  const parse = (env: Record<string, string>) => parseConfig(ssoConfig, env)
  assert.equal(parse({}).config?.keyLifeMs, 90 * day)
  assert.equal(parse({ SSO_KEY_LIFE: '30d' }).config?.keyLifeMs, 30 * day)
  assert.equal(parse({ BRIDGE_KEY_LIFE: '20d' }).config?.keyLifeMs, 20 * day)
  assert.equal(parse({ SSO_KEY_LIFE: '30d', BRIDGE_KEY_LIFE: '30d' }).config?.keyLifeMs, 30 * day)
  assert.deepEqual(parse({ SSO_KEY_LIFE: '30d', BRIDGE_KEY_LIFE: '20d' }).faults, [
    'BRIDGE_KEY_LIFE: is the old name of SSO_KEY_LIFE, which is set to something else; remove BRIDGE_KEY_LIFE',
  ])
})

test('private keys are sealed at rest; instances get the public keys, and none where owners cannot sign in', async t => {
  const root = temporaryFolder(t)
  const specs: InstanceSpec[] = []
  const spying = {
    driver: (real: Parameters<NonNullable<NonNullable<Parameters<typeof testFleet>[1]>['driver']>>[0]) => ({
      ...real,
      create: async (spec: InstanceSpec) => {
        specs.push(spec)
        await real.create(spec)
      },
    }),
  }
  const town = await openTown(t, { plugins: [sso], root, clock: systemClock, ...spying })
  const ada = await town.owner('ada')
  const id = await withInstance(town, ada, 'acme')
  const location = (await ask(ada, id)).headers.location ?? ''
  const header = decodeProtectedHeader(new URL(location).searchParams.get('token') ?? '')
  const { LONGHOUSE_SSO_ISSUER, LONGHOUSE_SSO_KEYS = '' } = specs[0]?.environment ?? {}
  assert.equal(LONGHOUSE_SSO_ISSUER, `http://control.localhost:${town.port}`)
  const given = JSON.parse(LONGHOUSE_SSO_KEYS) as { keys: Record<string, string>[] }
  assert.deepEqual(
    given.keys.map(key => key.kid),
    [header.kid],
  )
  assert.ok(given.keys.every(key => !('d' in key)))
  await town.program.stop()
  assert.equal(statSync(join(root, '.control', 'bridge-seal-key')).mode & 0o777, 0o600)
  const kept = readFileSync(join(root, '.control', 'longhouse.db'), 'latin1')
  assert.ok(kept.includes('bridge_keys') && !/"d":"/.test(kept))

  const plainSpecs: InstanceSpec[] = []
  const plain = await testFleet(t, {
    plugins: [sso],
    driver: real => ({
      ...real,
      create: async spec => {
        plainSpecs.push(spec)
        await real.create(spec)
      },
    }),
  })
  await plain.provision('acme')
  assert.equal(plainSpecs[0]?.environment.LONGHOUSE_SSO_ISSUER, undefined)
})
