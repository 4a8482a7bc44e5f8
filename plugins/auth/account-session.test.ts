import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openDoorstep } from './account.fixture.ts'
import { adminToken } from './auth.fixture.ts'
import { goThrough, startProvider } from './openid.fixture.ts'

const ada = { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' }
const hour = 3_600_000
const day = 24 * hour

test('over HTTPS, session cookies are bound to the host, so a sibling’s cookies have no effect', async t => {
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

test('a session is replaced at each sign-in, lasts 14 days from its last use, and 60 days at most', async t => {
  const { provider, visitor, clock, program } = await openDoorstep(t)
  provider.people.set('sub-ada', ada)
  const ours = visitor()
  // A session cookie planted before the sign-in is useless after it.
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

test('only an owner lists and ends their sessions; another owner, a stranger and the operator cannot', async t => {
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

test('the database contains no session secret', async t => {
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
