import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bootForTest, keptLog } from '../../src/testing/boot.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openDoorstep } from './account.fixture.ts'
import { adminToken, browser, openGate } from './auth.fixture.ts'
import { auth } from './index.ts'
import { envOf, goThrough, startProvider } from './openid.fixture.ts'

const ada = { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' }
const hour = 3_600_000
const day = 24 * hour

test('somebody signs up with the provider, is known again, and signs out', async t => {
  const { provider, visitor, program } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const first = visitor()
  const front = await first.ask('/')
  assert.equal(front.headers.get('location'), '/sign-in')
  const page = await (await first.ask('/sign-in')).text()
  assert.match(page, /<form method="post" action="\/auth\/google"/)
  assert.match(page, /Sign in with Example/)

  const address = new URL(await first.begin())
  assert.equal(address.origin, provider.issuer)
  const asked = Object.fromEntries(address.searchParams)
  assert.equal(asked.code_challenge_method, 'S256')
  assert.equal(asked.redirect_uri, 'http://control.localhost/auth/google/callback')
  for (const name of ['state', 'nonce', 'code_challenge']) assert.match(asked[name] ?? '', /^[\w-]{43}$/)
  const secret = first.cookies.get('longhouse_sign_in')?.split('.')[0] ?? ''
  assert.ok(secret.length === 43 && !address.href.includes(secret), 'the address does not tell the secret')

  const back = await first.comeBack(await goThrough(address.href, 'sub-ada'))
  assert.equal(back.status, 303, await back.text())
  assert.equal(back.headers.get('location'), '/instances')
  assert.equal(first.cookies.has('longhouse_sign_in'), false)
  const account = (await (
    await first.ask('/account', { headers: { Accept: 'application/json' } })
  ).json()) as Record<string, string>
  assert.match(account.id ?? '', /^acct_/)
  assert.deepEqual(
    [account.email, account.name, account.provider],
    ['ada@example.com', 'Ada Lovelace', provider.issuer],
  )
  assert.match(await (await first.ask('/account')).text(), /ada@example\.com/)
  assert.equal((await first.ask('/')).headers.get('location'), '/instances')
  assert.equal((await first.ask('/sign-in')).headers.get('location'), '/instances')

  const second = visitor()
  await second.signIn('sub-ada')
  assert.equal(program.services.auth?.accounts.list().length, 1, 'it is the same account')
  await second.ask('/auth/sign-out', { method: 'POST' })
  assert.equal((await second.ask('/account')).headers.get('location'), '/sign-in?next=%2Faccount')
  assert.equal((await first.ask('/account')).status, 200, 'the other browser stays signed in')
})

test('the account is the subject’s: a changed address follows, a taken-over address gets nothing', async t => {
  const { provider, visitor, program } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  await visitor().signIn('sub-ada')
  const accounts = program.services.auth?.accounts
  const id = accounts?.list()[0]?.id

  provider.people.set('sub-ada', { ...ada, email: 'ada@new.example' })
  await visitor().signIn('sub-ada')
  assert.deepEqual(
    accounts?.list().map(each => [each.id, each.email]),
    [[id, 'ada@new.example']],
  )

  provider.people.set('sub-eve', { ...ada, name: 'Eve' })
  const eve = visitor()
  await eve.signIn('sub-eve')
  const json = await (await eve.ask('/account', { headers: { Accept: 'application/json' } })).json()
  assert.notEqual((json as { id: string }).id, id)
  assert.deepEqual(
    accounts?.byEmail('ADA@example.com').map(each => each.name),
    ['Eve'],
  )
})

test('claims are fetched where the provider keeps them out of the token', async t => {
  const { provider, visitor } = await openDoorstep(t, { claimsInIdToken: false })
  provider.people.set('sub-ada', { ...ada, email_verified: 'true' })
  assert.equal((await visitor().signIn('sub-ada')).status, 303)
})

test('denied consent, wrong state, a replay and a callback out of nowhere get a page that says what to do', async t => {
  const { provider, visitor, program, ask } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const refused = async (response: Response, status: number, words: RegExp) => {
    const text = await response.text()
    assert.equal(response.status, status, text)
    assert.match(text, words)
    assert.match(text, /begin again|sign in again/i)
    assert.ok(!response.headers.getSetCookie().some(line => /longhouse_account=./.test(line)))
  }
  const denies = visitor()
  await refused(
    await denies.comeBack(await goThrough(await denies.begin(), null)),
    403,
    /nothing was made or changed/,
  )

  const mixed = visitor()
  const callback = await goThrough(await mixed.begin(), 'sub-ada')
  callback.searchParams.set('state', 'x'.repeat(43))
  await refused(await mixed.comeBack(callback), 403, /not what was asked for/)

  const replays = visitor()
  const good = await goThrough(await replays.begin(), 'sub-ada')
  const kept = replays.cookies.get('longhouse_sign_in') ?? ''
  assert.equal((await replays.comeBack(good)).status, 303)
  await replays.ask('/auth/sign-out', { method: 'POST' })
  await refused(await replays.comeBack(good), 400, /not begun in this browser/)
  replays.cookies.set('longhouse_sign_in', kept)
  await refused(await replays.comeBack(good), 400, /used before/)

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
    await refused(await stray.comeBack(new URL(`http://x/auth/google/callback${query}`)), 400, /not begun/)
    await stray.begin()
    assert.equal((await stray.comeBack(new URL(`http://x/auth/google/callback${query}`))).status, 403, query)
  }
  assert.equal(program.services.auth?.accounts.list().length, 1)
})

test('nobody is signed in to another’s account: login CSRF, an injected code and a wrong nonce fail', async t => {
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
  assert.match(await back.text(), /not what was asked for/)
  // No page of another site begins a sign-in.
  for (const site of ['cross-site', 'same-site']) {
    const asked = await other.ask('/auth/google', { method: 'POST', headers: { 'Sec-Fetch-Site': site } })
    assert.equal(asked.status, 403)
  }
  assert.equal((await other.signIn('sub-ada')).status, 303, 'the door opens for the right person')
})

test('an address that is not verified, or not told, makes no account', async t => {
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

test('clocks that differ by an hour, a forged signature and a provider that is down are told apart', async t => {
  const doorstep = await openDoorstep(t)
  const { provider, visitor, clock, program } = doorstep
  provider.people.set('sub-ada', ada)
  const jwks = JSON.stringify({
    keys: [{ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'x' }],
  })
  provider.breakWith = { path: '/jwks', status: 200, body: jwks }
  const forged = await visitor().signIn('sub-ada')
  assert.equal(forged.status, 403)
  assert.match(await forged.text(), /not what was asked for/)

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

test('half a minute between the clocks is borne, and what the provider told before holds while it is down', async t => {
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

test('a provider that is away at the start keeps nothing from starting', async t => {
  const provider = await startProvider(t)
  await provider.stop()
  const { visitor, ask } = await openDoorstep(t, { provider })
  assert.match(await visitor().begin(), /^503 .*Example could not be reached/s)
  const json = await ask('/auth/google', { method: 'POST' })
  assert.equal(json.status, 503)
  assert.equal(((await json.json()) as { type: string }).type, 'urn:longhouse:problem:provider-down')
})

test('sign-ins lead on within this site only', async t => {
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

test('cookies: bound to the host by HTTPS, so that what a sibling tosses counts for nothing', async t => {
  const provider = await startProvider(t)
  provider.allow('https://control.localhost/auth/google/callback')
  const { visitor } = await openDoorstep(t, {
    provider,
    env: { LONGHOUSE_PUBLIC_URL: 'https://control.localhost' },
  })
  provider.people.set('sub-ada', ada)
  provider.people.set('sub-eve', { ...ada, email: 'eve@example.com' })
  const ours = visitor()
  const begun = await ours.ask('/auth/google', { method: 'POST' })
  const [line = ''] = begun.headers.getSetCookie()
  assert.match(
    line,
    /^__Host-longhouse_sign_in=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  const back = await ours.comeBack(await goThrough(begun.headers.get('location') ?? '', 'sub-ada'))
  const session = back.headers.getSetCookie().find(each => each.includes('account'))
  assert.match(
    session ?? '',
    /^__Host-longhouse_account=[\w-]{43}; Max-Age=1209600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )

  // A tenant can set `longhouse_…` for the whole domain, and with a longer path, but nothing with `__Host-`.
  const eve = visitor()
  const planted = await goThrough(await eve.begin(), 'sub-eve')
  const victim = visitor()
  victim.cookies.set('longhouse_sign_in', eve.cookies.get('__Host-longhouse_sign_in') ?? '')
  assert.equal((await victim.comeBack(planted)).status, 400)
  await eve.comeBack(planted)
  const tossed = visitor()
  tossed.cookies.set('longhouse_account', eve.cookies.get('__Host-longhouse_account') ?? '')
  assert.equal((await tossed.ask('/account')).status, 303)
  assert.equal((await eve.ask('/account')).status, 200)
})

test('a session is rotated at each sign-in, slides for 14 days and ends after 60', async t => {
  const { provider, visitor, clock, program } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const ours = visitor()
  // What somebody planted before the sign-in opens nothing after it.
  ours.cookies.set('longhouse_account', 'planted-planted-planted-planted-planted-pl')
  await ours.signIn('sub-ada')
  const before = ours.cookies.get('longhouse_account') ?? ''
  assert.doesNotMatch(before, /planted/)
  await ours.signIn('sub-ada')
  assert.notEqual(ours.cookies.get('longhouse_account'), before)
  const old = visitor()
  old.cookies.set('longhouse_account', before)
  assert.equal((await old.ask('/account')).status, 303)

  for (let days = 13; days < 60; days += 13) {
    clock.advance(13 * day)
    const response = await ours.ask('/account')
    assert.equal(response.status, 200, `after ${days} days`)
    assert.match(response.headers.getSetCookie().join(), /Max-Age=/, 'the cookie lives on, too')
  }
  clock.advance(8 * day)
  assert.equal((await ours.ask('/account')).status, 303)
  await program.runOnce('auth:prune-sessions')
  assert.deepEqual(program.services.auth?.sessionsOf(program.services.auth.accounts.list()[0]?.id ?? ''), [])
})

test('sessions are listed and ended by their owner alone; another owner, a stranger and the operator try too', async t => {
  const { provider, visitor, ask, clock } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  provider.people.set('sub-bob', { ...ada, email: 'bob@example.com' })
  const [laptop, phone, bob] = [
    visitor(),
    visitor({ userAgent: 'Mozilla/5.0 (iPhone) Safari/605' }),
    visitor(),
  ]
  await laptop.signIn('sub-ada')
  clock.advance(1000)
  await phone.signIn('sub-ada')
  await bob.signIn('sub-bob')
  const listed = async () => {
    const response = await laptop.ask('/account/sessions', { headers: { Accept: 'application/json' } })
    return ((await response.json()) as { sessions: Record<string, unknown>[] }).sessions
  }
  const [theirs, mine] = await listed()
  assert.equal(theirs?.current, false)
  assert.equal(mine?.current, true)
  assert.deepEqual(Object.keys(mine ?? {}), ['id', 'browser', 'created_at', 'last_seen_at', 'current'])
  const html = await (await laptop.ask('/account')).text()
  assert.match(html, /Safari on iOS/)
  assert.match(html, /This browser/)

  const path = `/account/sessions/${theirs?.id}`
  assert.equal((await bob.ask(path, { method: 'DELETE' })).status, 404)
  assert.equal((await bob.ask(`${path}/end`, { method: 'POST' })).status, 404)
  assert.equal((await visitor().ask(path, { method: 'DELETE' })).status, 303)
  const operator = { Authorization: `Bearer ${adminToken}` }
  assert.equal(
    (await ask(path, { method: 'DELETE', headers: operator })).status,
    401,
    'the operator is no owner',
  )
  assert.equal((await ask('/account')).status, 401)
  const forged = await laptop.ask(`${path}/end`, {
    method: 'POST',
    headers: { 'Sec-Fetch-Site': 'same-site' },
  })
  assert.equal(forged.status, 403)
  assert.equal((await phone.ask('/account')).status, 200)

  assert.equal((await laptop.ask(`${path}/end`, { method: 'POST' })).status, 303)
  assert.equal((await phone.ask('/account')).status, 303)
  assert.equal((await laptop.ask(path, { method: 'DELETE' })).status, 404, 'it has ended already')

  await phone.signIn('sub-ada')
  await laptop.ask('/account/sessions/end-others', { method: 'POST' })
  assert.equal((await listed()).length, 1)
  assert.equal((await phone.ask('/account')).status, 303)
  assert.equal((await bob.ask('/account')).status, 200)
})

test('an owner is no operator, and a closed account opens nothing until its owner signs in again', async t => {
  const { provider, visitor, program, clock } = await openDoorstep(t)
  const service = program.services.auth
  assert.ok(service)
  provider.people.set('sub-ada', ada)
  const ours = visitor()
  await ours.signIn('sub-ada')
  assert.equal((await ours.ask('/vault')).headers.get('location'), '/login?next=%2Fvault')

  const id = service.accounts.list()[0]?.id ?? ''
  assert.equal(service.accounts.close(id), true)
  assert.equal(service.accounts.close(id), false)
  assert.equal((await ours.ask('/account')).status, 303)
  assert.deepEqual(service.accounts.byEmail('ada@example.com'), [])
  await ours.signIn('sub-ada')
  assert.equal(service.accounts.get(id)?.closedAt, null, 'the same account, open again')

  service.accounts.close(id)
  clock.advance(91 * day)
  await program.runOnce('auth:prune-sessions')
  const erased = service.accounts.get(id)
  assert.deepEqual([erased?.email, erased?.name], ['', null])
})

test('the database holds no secret of a session', async t => {
  const root = temporaryFolder(t)
  const { provider, visitor, program } = await openDoorstep(t, { env: { LONGHOUSE_DATA_ROOT: root } })
  provider.people.set('sub-ada', ada)
  const ours = visitor()
  await ours.signIn('sub-ada')
  await program.stop()
  const kept = readFileSync(join(root, '.control/longhouse.db'), 'latin1')
  assert.ok(kept.includes('auth_account_sessions'))
  assert.ok(!kept.includes(ours.cookies.get('longhouse_account') ?? 'auth'))
})

test('without a provider the pages say so, the routes answer 503, and the log names what is off', async t => {
  const { ask } = await openGate(t)
  assert.match(await (await ask('/sign-in', { headers: browser })).text(), /set up no provider/)
  assert.match(await (await ask('/login', { headers: browser })).text(), /Owners cannot sign in/)
  assert.equal((await ask('/', { headers: browser })).headers.get('location'), '/admin/instances')
  for (const [method, path] of [
    ['POST', '/auth/google'],
    ['GET', '/auth/google/callback?code=x&state=y'],
  ] as const) {
    const response = await ask(path, { method })
    assert.equal(response.status, 503)
    const problem = (await response.json()) as { type: string; detail: string }
    assert.equal(problem.type, 'urn:longhouse:problem:sign-in-off')
    assert.match(problem.detail, /GOOGLE_CLIENT_ID/)
  }
  const { log, lines } = keptLog()
  await bootForTest(t, [auth], { env: { ADMIN_TOKEN: adminToken }, log })
  assert.match(lines(), /owners cannot sign up or in/)
})

test('half a configuration keeps it from starting, and names every half', async t => {
  const provider = { issuer: 'https://login.example.com' }
  const faults = async (env: Record<string, string>) =>
    openGate(t, { env }).then(
      () => assert.fail('it started'),
      (error: { faults: string[] }) => error.faults.join('\n'),
    )
  assert.match(await faults({ GOOGLE_CLIENT_ID: 'x' }), /^GOOGLE_CLIENT_SECRET: must be set too/)
  assert.match(await faults({ GOOGLE_CLIENT_SECRET: 'x' }), /^GOOGLE_CLIENT_ID: must be set too/)
  assert.match(await faults({ OPENID_ISSUER: provider.issuer }), /^GOOGLE_CLIENT_ID: must be set too/)
  for (const OPENID_ISSUER of [
    'http://login.example.com',
    'login.example.com',
    'https://x.example/?a=b',
    'ftp://x.example',
  ]) {
    const both = await faults({
      ADMIN_TOKEN: 'short',
      GOOGLE_CLIENT_ID: 'x',
      GOOGLE_CLIENT_SECRET: 'y',
      OPENID_ISSUER,
    })
    assert.match(both, /OPENID_ISSUER: must be the https address/)
    assert.match(both, /ADMIN_TOKEN: must have at least/)
  }
  const started = await openGate(t, {
    env: {
      ...envOf({ ...provider, people: new Map(), breakWith: null, stop: async () => {} }),
      OPENID_NAME: '',
    },
  })
  assert.match(
    await (await started.ask('/sign-in', { headers: browser })).text(),
    /Sign in with login\.example\.com/,
  )
})

test('forms may lead to the provider, and nowhere else', async t => {
  const { provider, ask } = await openDoorstep(t)
  const policy = (await ask('/sign-in', { headers: browser })).headers.get('content-security-policy') ?? ''
  assert.ok(policy.includes(`form-action 'self' ${provider.issuer};`), policy)
})
