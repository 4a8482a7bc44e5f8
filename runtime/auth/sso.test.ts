import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { browser, cookieOf, instanceId, password, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { passwordGate } from './password.ts'
import * as schema from './schema.ts'

interface Key {
  kid: string
  key: KeyObject
  jwk: { kid: string; kty: string }
}

function makeKey(kid: string): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { kid, key: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, kty: 'OKP' } }
}

/** An instance, and a control plane that publishes these keys at an address that no resolver knows. */
async function openInstance(
  t: TestContext,
  options: { given?: Key[]; published?: Key[]; publicUrl?: string } = {},
) {
  const clock = manualClock()
  const first = makeKey('key_first')
  const published = options.published ?? [first]
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    const right =
      request.url === '/.well-known/jwks.json' && request.headers.host?.startsWith('control.localhost')
    response.writeHead(right ? 200 : 404).end(JSON.stringify({ keys: published.map(key => key.jwk) }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const issuer = `http://control.localhost:${(server.address() as AddressInfo).port}`
  const keys = { keys: (options.given ?? [first]).map(key => key.jwk) }
  const { app, instance } = await startWeb(t, {
    clock,
    sso: { issuer, keys },
    ...(options.publicUrl && { publicUrl: options.publicUrl }),
  })

  /** Begins in a browser: its cookie, and what the control plane is asked for. */
  const begin = async (next?: string) => {
    const response = await app.request(`/auth/sso${next ? `?next=${encodeURIComponent(next)}` : ''}`, {
      headers: browser,
    })
    const location = new URL(response.headers.get('location') ?? '')
    return { cookie: cookieOf(response), location, nonce: location.searchParams.get('nonce') ?? '' }
  }
  const sign = (
    nonce: string,
    change: { key?: Key; claims?: Record<string, unknown>; at?: number; alg?: string } = {},
  ) => {
    const { kid, key } = change.key ?? first
    const now = Math.floor((change.at ?? clock.now()) / 1000)
    const claims = {
      iss: issuer,
      aud: instanceId,
      sub: 'acct_ada',
      email: 'ada@example.com',
      nonce,
      jti: `${Math.random()}`,
      iat: now,
      exp: now + 60,
      ...change.claims,
    }
    return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid }).sign(key)
  }
  const arrive = (token: string, cookie?: string) =>
    app.request(`/?token=${token}`, { headers: { ...browser, ...(cookie ? { Cookie: cookie } : {}) } })
  const sessionOf = (response: Response) =>
    response.headers
      .getSetCookie()
      .find(line => /^longhouse_session=[\w-]{43}/.test(line))
      ?.split(';')[0]
  /** The instance is given another password, as when it passes on to another owner. */
  const renew = async () => {
    const sqlite = openSqlite(join(instance.dir, 'longhouse.db'))
    await passwordGate(
      openTables(sqlite, 'auth', { schema, migrations: 'runtime/auth/migrations' }),
      clock,
      'another horse',
    )
    sqlite.close()
  }
  return { app, renew, clock, issuer, first, begin, sign, arrive, sessionOf, asked: () => asked }
}

test('an owner signs in through the control plane, and lands on an address without the token', async t => {
  const { app, begin, sign, arrive, sessionOf, issuer, asked } = await openInstance(t)
  const { cookie, location, nonce } = await begin('/repo?x=1')
  assert.equal(location.origin, issuer)
  assert.equal(location.searchParams.get('instance'), instanceId)
  assert.match(nonce, /^[\w-]{43}$/)
  assert.ok(!location.href.includes(cookie.split('=')[1]?.split('.')[0] ?? 'x'))
  const response = await arrive(await sign(nonce), cookie)
  assert.equal(response.status, 303, await response.text())
  assert.equal(response.headers.get('location'), '/repo?x=1')
  const session = sessionOf(response) ?? ''
  assert.equal((await app.request('/api/jobs', { headers: { Cookie: session } })).status, 200)
  assert.equal(asked(), 0, 'with the keys that it was given nobody needs to be asked')
  const audit = await app.request('/settings/audit', { headers: { ...browser, Cookie: session } })
  assert.match(await audit.text(), /Sign in through the control plane/)
  assert.equal(
    (await app.request('/auth/sso', { headers: { ...browser, Cookie: session } })).headers.get('location'),
    '/',
  )
})

test('a sign-in that begins at another host of the instance names it, so that the browser returns there', async t => {
  const { app } = await openInstance(t, { publicUrl: 'http://acme.localhost:8080' })
  const asked = async (host: string) => {
    const response = await app.request('/auth/sso', { headers: { ...browser, Host: host } })
    return new URL(response.headers.get('location') ?? '').searchParams.get('host')
  }
  assert.equal(await asked('jobs.acme.test:8443'), 'jobs.acme.test:8443')
  assert.equal(await asked('ACME.localhost:8080'), null)
})

test('a token that this instance did not request, or that another browser requested, is refused', async t => {
  const { begin, sign, arrive, sessionOf } = await openInstance(t)
  const eve = await begin()
  const planted = await sign(eve.nonce)
  const unasked = await arrive(planted)
  assert.equal(unasked.status, 400)
  assert.match(await unasked.text(), /did not start in this browser/)
  const victim = await begin()
  const other = await arrive(planted, victim.cookie)
  assert.equal(other.status, 403)
  for (const response of [unasked, other]) assert.equal(sessionOf(response), undefined)
  const right = await arrive(planted, eve.cookie)
  assert.ok(sessionOf(right), 'it was good for the browser that asked')
})

test('a token signs in once, even when it arrives twice at the same time', async t => {
  const { begin, sign, arrive, sessionOf } = await openInstance(t)
  const { cookie, nonce } = await begin()
  const token = await sign(nonce)
  const both = await Promise.all([arrive(token, cookie), arrive(token, cookie), arrive(token, cookie)])
  assert.deepEqual(both.map(response => response.status).sort(), [303, 403, 403])
  assert.equal(both.filter(sessionOf).length, 1)
  assert.equal((await arrive(token, cookie)).status, 403)
})

test('a token for another instance, by another signer, or expired is refused', async t => {
  const { begin, sign, arrive, sessionOf, clock, first } = await openInstance(t)
  const forger = { ...makeKey('key_first') }
  const now = clock.now()
  const refused: [string, (nonce: string) => Promise<string>][] = [
    ['another instance', nonce => sign(nonce, { claims: { aud: 'inst_other' } })],
    ['another issuer', nonce => sign(nonce, { claims: { iss: 'https://evil.example' } })],
    ['a forged signature', nonce => sign(nonce, { key: forger })],
    ['no nonce', nonce => sign(nonce, { claims: { nonce: undefined } })],
    ['no id', nonce => sign(nonce, { claims: { jti: undefined } })],
    ['expired', nonce => sign(nonce, { at: now - 120_000 })],
    ['too long', nonce => sign(nonce, { at: now - 120_000, claims: { exp: now / 1000 + 3600 } })],
    ['from the future', nonce => sign(nonce, { at: now + 120_000 })],
    [
      'no signature',
      async nonce => `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ aud: instanceId, nonce }))}.`,
    ],
    ['no token', async () => 'x'],
    ['nothing', async () => ''],
  ]
  for (const [what, make] of refused) {
    const { cookie, nonce } = await begin()
    const response = await arrive(await make(nonce), cookie)
    assert.equal(response.status, 403, what)
    assert.equal(sessionOf(response), undefined, what)
    assert.match(await response.text(), /egin again/)
  }
  const { cookie, nonce } = await begin()
  assert.equal((await arrive(await sign(nonce, { key: first, at: now - 20_000 }), cookie)).status, 303)
})

test('a key newer than the instance is fetched, and an error says so when that fails', async t => {
  const [old, young, unknown] = [makeKey('key_old'), makeKey('key_young'), makeKey('key_unknown')]
  const { begin, sign, arrive, asked } = await openInstance(t, { given: [old], published: [old, young] })
  for (const key of [young, old, young]) {
    const { cookie, nonce } = await begin()
    assert.equal((await arrive(await sign(nonce, { key }), cookie)).status, 303)
  }
  assert.equal(asked(), 1)
  for (let i = 0; i < 5; i++) {
    const { cookie, nonce } = await begin()
    const response = await arrive(await sign(nonce, { key: unknown }), cookie)
    assert.equal(response.status, 403)
    assert.match(await response.text(), /keys could not be had/)
  }
  assert.equal(asked(), 1, 'made-up keys make nobody ask again and again')
})

test('single sign-on redirects only within the instance', async t => {
  const { begin, sign, arrive } = await openInstance(t)
  for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', '/x/..//evil.example']) {
    const { cookie, nonce } = await begin(next)
    assert.equal((await arrive(await sign(nonce), cookie)).headers.get('location'), '/', next)
  }
})

test('an owner signed in through the control plane can turn the password off and on again', async t => {
  const { app, begin, sign, arrive, sessionOf } = await openInstance(t)
  const byPassword = cookieOf(await postJson(app, '/api/auth/password', { password }))
  const early = await app.request('/api/auth/methods', {
    method: 'PUT',
    body: '{"password": false}',
    headers: { Cookie: byPassword },
  })
  assert.equal(early.status, 409)
  assert.match(await early.text(), /sure that it works/)
  assert.equal((await app.request('/api/auth/methods')).status, 401)

  const { cookie, nonce } = await begin()
  const session = sessionOf(await arrive(await sign(nonce), cookie)) ?? ''
  const page = await app.request('/settings/sign-in', { headers: { ...browser, Cookie: session } })
  assert.match(await page.text(), /Turn the password off/)
  const off = await postForm(app, '/api/auth/methods', { password: 'false' }, { Cookie: session })
  assert.equal(off.headers.get('location'), '/settings/sign-in')
  const refused = await postJson(app, '/api/auth/password', { password })
  assert.equal(refused.status, 403)
  assert.equal(refused.headers.get('set-cookie'), null)
  const login = await (await app.request('/login?next=/repo', { headers: browser })).text()
  assert.doesNotMatch(login, /name="password"/)
  assert.match(login, /href="\/auth\/sso\?next=%2Frepo"/)
  assert.equal(
    (await app.request('/api/jobs', { headers: { Cookie: byPassword } })).status,
    200,
    'who is in stays in',
  )

  const on = await app.request('/api/auth/methods', {
    method: 'PUT',
    body: '{"password": true}',
    headers: { Cookie: session },
  })
  assert.deepEqual(((await on.json()) as { password: boolean }).password, true)
  assert.equal((await postJson(app, '/api/auth/password', { password })).status, 200)
})

test('without a control plane the password works, and cannot be turned off', async t => {
  const { app, signIn } = await startWeb(t)
  const way = await app.request('/auth/sso?next=/repo', { headers: browser })
  assert.equal(way.headers.get('location'), '/login?next=%2Frepo')
  assert.doesNotMatch(await (await app.request('/login', { headers: browser })).text(), /auth\/sso/)
  const session = await signIn()
  const off = await app.request('/api/auth/methods', {
    method: 'PUT',
    body: '{"password": false}',
    headers: { Cookie: session },
  })
  assert.equal(off.status, 409)
  assert.equal((await app.request('/?token=x', { headers: { ...browser, Cookie: session } })).status, 400)
})

test('a token issued before the password was renewed is refused, one issued after it is accepted', async t => {
  const { begin, sign, arrive, sessionOf, renew } = await openInstance(t)
  const before = await begin()
  const kept = await sign(before.nonce)
  await renew()
  const late = await arrive(kept, before.cookie)
  assert.deepEqual([late.status, sessionOf(late)], [403, undefined])
  const after = await begin()
  assert.ok(sessionOf(await arrive(await sign(after.nonce), after.cookie)))
})
