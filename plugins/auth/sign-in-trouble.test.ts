import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoorstep } from './account.fixture.ts'
import { goThrough, startProvider } from './openid.fixture.ts'

const ada = { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' }
const hour = 3_600_000

test('denied consent, a wrong state, a replay and an unexpected callback get a page that says what to do', async t => {
  const { provider, visitor, program, ask } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const refused = async (response: Response, status: number, words: RegExp) => {
    const text = await response.text()
    assert.equal(response.status, status, text)
    assert.match(text, words)
    assert.match(text, /start again|sign in again/i)
    assert.ok(!response.headers.getSetCookie().some(line => /longhouse_account=./.test(line)))
  }
  const denies = visitor()
  await refused(
    await denies.comeBack(await goThrough(await denies.begin(), null)),
    403,
    /no account was created or changed/,
  )

  const mixed = visitor()
  const callback = await goThrough(await mixed.begin(), 'sub-ada')
  callback.searchParams.set('state', 'x'.repeat(43))
  await refused(await mixed.comeBack(callback), 403, /does not belong to this sign-in/)

  const replays = visitor()
  const good = await goThrough(await replays.begin(), 'sub-ada')
  const kept = replays.cookies.get('longhouse_sign_in') ?? ''
  assert.equal((await replays.comeBack(good)).status, 303)
  await replays.ask('/auth/sign-out', { method: 'POST' })
  await refused(await replays.comeBack(good), 400, /not started in this browser/)
  replays.cookies.set('longhouse_sign_in', kept)
  await refused(await replays.comeBack(good), 400, /already used/)

  const json = await ask(good.pathname + good.search)
  assert.equal(json.status, 400)
  assert.equal(json.headers.get('content-type'), 'application/problem+json')
  for (const query of [
    '',
    '?code=x',
    '?state=x&code=x',
    '?error=access_denied',
    '?error=%3Cscript%3E&state=x',
    '?code=a&code=b',
  ]) {
    const stray = visitor()
    await refused(await stray.comeBack(new URL(`http://x/auth/google/callback${query}`)), 400, /not started/)
    await stray.begin()
    assert.equal((await stray.comeBack(new URL(`http://x/auth/google/callback${query}`))).status, 403, query)
  }
  assert.equal(program.services.auth?.accounts.list().length, 1)
})

test('no one can be signed in to another’s account: login CSRF, an injected code and a wrong nonce fail', async t => {
  const { provider, visitor, program } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  provider.people.set('sub-eve', { ...ada, email: 'eve@example.com' })

  // Eve stops at the callback and hands its address to Ada, who has begun nothing, or something of her own.
  const eve = visitor()
  const planted = await goThrough(await eve.begin(), 'sub-eve')
  const victim = visitor()
  assert.equal((await victim.comeBack(planted)).status, 400)
  await victim.begin()
  assert.equal((await victim.comeBack(planted)).status, 403)
  // Her code under the state that Ada’s browser expects: PKCE binds it to the browser that began it.
  const mine = new URL(await victim.begin())
  planted.searchParams.set('state', mine.searchParams.get('state') ?? '')
  assert.equal((await victim.comeBack(planted)).status, 400)
  assert.deepEqual(program.services.auth?.accounts.list(), [])

  const other = visitor()
  const address = new URL(await other.begin())
  address.searchParams.set('nonce', 'another-nonce')
  const back = await other.comeBack(await goThrough(address.href, 'sub-ada'))
  assert.equal(back.status, 403)
  assert.match(await back.text(), /does not belong to this sign-in/)
  // No page of another site begins a sign-in.
  for (const site of ['cross-site', 'same-site']) {
    const asked = await other.ask('/auth/google', { method: 'POST', headers: { 'Sec-Fetch-Site': site } })
    assert.equal(asked.status, 403)
  }
  assert.equal((await other.signIn('sub-ada')).status, 303, 'the door opens for the right person')
})

test('an unverified or missing address creates no account', async t => {
  const { provider, visitor, program } = await openDoorstep(t)
  for (const person of [
    { email: 'ada@example.com', email_verified: false },
    { email: 'ada@example.com' },
    {},
    { email: 'no address', email_verified: true },
  ]) {
    provider.people.set('sub-ada', person)
    const response = await visitor().signIn('sub-ada')
    assert.equal(response.status, 403)
    assert.match(await response.text(), /sign in again/)
  }
  assert.deepEqual(program.services.auth?.accounts.list(), [])
  provider.people.set('sub-ada', ada)
  assert.equal((await visitor().signIn('sub-ada')).status, 303)
})

test('clocks that differ by an hour, a forged signature and a provider that is down get different problems', async t => {
  const doorstep = await openDoorstep(t)
  const { provider, visitor, clock, program } = doorstep
  provider.people.set('sub-ada', ada)
  const jwks = JSON.stringify({
    keys: [{ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'x' }],
  })
  provider.breakWith = { path: '/jwks', status: 200, body: jwks }
  const forged = await visitor().signIn('sub-ada')
  assert.equal(forged.status, 403)
  assert.match(await forged.text(), /does not belong to this sign-in/)

  provider.breakWith = { path: '/token', status: 502, body: '<h1>Bad gateway</h1>', type: 'text/html' }
  const down = await visitor().signIn('sub-ada')
  assert.equal(down.status, 503)
  assert.equal(down.headers.get('retry-after'), '60')
  assert.match(await down.text(), /could not be reached/)
  provider.breakWith = null

  clock.advance(2 * hour)
  const skewed = await visitor().signIn('sub-ada')
  assert.equal(skewed.status, 403)
  assert.match(await skewed.text(), /set the server’s clock/)
  assert.deepEqual(program.services.auth?.accounts.list(), [])
})

test('clocks may differ by half a minute, and earlier metadata stays valid while the provider is down', async t => {
  const { provider, visitor, clock } = await openDoorstep(t)
  clock.advance(30_000)
  provider.people.set('sub-ada', ada)
  const ours = visitor()
  assert.equal((await ours.signIn('sub-ada')).status, 303)
  await provider.stop()
  assert.equal((await ours.ask('/account')).status, 200, 'who is signed in stays so')
  clock.advance(hour)
  assert.match(await visitor().begin(), /^http:\/\/localhost/)
})

test('the control plane starts while the provider is down', async t => {
  const provider = await startProvider(t)
  await provider.stop()
  const { visitor, ask } = await openDoorstep(t, { provider })
  assert.match(await visitor().begin(), /^503 .*Example could not be reached/s)
  const json = await ask('/auth/google', { method: 'POST' })
  assert.equal(json.status, 503)
  assert.equal(((await json.json()) as { type: string }).type, 'urn:longhouse:problem:provider-down')
})

test('an issuer that differs by a slash, or is not a provider, is reported as a misconfiguration', async t => {
  const { provider, visitor, ask } = await openDoorstep(t)
  const path = '/.well-known/openid-configuration'
  const document = (await (await fetch(provider.issuer + path)).json()) as Record<string, unknown>
  const calls = (issuer: string) => ({ path, status: 200, body: JSON.stringify({ ...document, issuer }) })
  for (const issuer of [`${provider.issuer}/realm`, `${provider.issuer}/realm/`, 'https://other.example']) {
    provider.breakWith = calls(issuer)
    const answer = await visitor().begin()
    assert.match(answer, /^503 /)
    assert.ok(answer.includes(`calls itself ${issuer}, but OPENID_ISSUER is ${provider.issuer}`), answer)
    assert.match(answer, /slash/)
    assert.doesNotMatch(answer, /Try again|minute/)
  }
  provider.breakWith = { path, status: 404, body: '{}' }
  const json = await ask('/auth/google', { method: 'POST' })
  const { type, detail } = (await json.json()) as { type: string; detail: string }
  assert.equal(json.headers.get('retry-after'), null)
  assert.equal(type, 'urn:longhouse:problem:provider-misconfigured')
  assert.match(detail, /Nothing describes an OpenID provider below http/)

  provider.breakWith = null
  provider.people.set('sub-ada', ada)
  assert.equal((await visitor().signIn('sub-ada')).status, 303, 'corrected there, it works without a restart')
})

test('sign-ins redirect only within this site', async t => {
  const { provider, visitor } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const good = await visitor().signIn('sub-ada', '/street?x=1')
  assert.equal(good.headers.get('location'), '/street?x=1')
  for (const next of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    '',
  ]) {
    assert.equal((await visitor().signIn('sub-ada', next)).headers.get('location'), '/instances', next)
    const html = await (await visitor().ask(`/sign-in?next=${encodeURIComponent(next)}`)).text()
    assert.match(html, /name="next" value="\/instances"/, next)
  }
})
