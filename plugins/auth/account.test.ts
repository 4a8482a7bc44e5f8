import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoorstep } from './account.fixture.ts'
import { goThrough } from './openid.fixture.ts'

const ada = { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' }
const hour = 3_600_000
const day = 24 * hour

test('an owner signs up with the provider, is recognized the next time, and signs out', async t => {
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

test('an account belongs to the provider’s subject: a changed address is updated, and a reassigned address gets nothing', async t => {
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

test('claims that are missing from the ID token are fetched from the userinfo endpoint', async t => {
  const { provider, visitor } = await openDoorstep(t, { claimsInIdToken: false })
  provider.people.set('sub-ada', { ...ada, email_verified: 'true' })
  assert.equal((await visitor().signIn('sub-ada')).status, 303)
})

test('an owner is not an operator, and a closed account has no access until its owner signs in again', async t => {
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
