import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goThrough } from '../auth/openid.fixture.ts'
import type { OwnerBrowser } from '../owners/owners.fixture.ts'
import { type Office, openOffice, password } from './operators.fixture.ts'

/** Signs in at the provider as `sub`, from the operators' sign-in page. */
async function signInAt(browser: OwnerBrowser, sub: string, next?: string) {
  const begun = await browser.visit('/login/provider', next === undefined ? {} : { next })
  assert.equal(begun.status, 303, begun.text)
  const back = await goThrough(begun.headers.location ?? '', sub)
  return browser.visit(back.pathname + back.search)
}

const person = (office: Office, sub: string, email: string, verified = true) =>
  office.provider.people.set(sub, { email, email_verified: verified, name: sub })

test('an operator accepts with the provider by their email address, and stays the same person after that', async t => {
  const office = await openOffice(t)
  await office.invite('ada', 'own')
  person(office, 'ada-at-work', 'Ada@example.com')
  const browser = office.browser()
  assert.match((await browser.visit('/login')).text, /Sign in with Example/)
  const done = await signInAt(browser, 'ada-at-work', '/admin/instances')
  assert.equal(done.headers.location, '/admin/instances')
  assert.equal((await browser.visit('/admin/instances')).status, 200, 'the second factor is the provider’s')
  assert.equal((await browser.call('GET', '/admin/me')).json<{ has_provider: boolean }>().has_provider, true)
  assert.equal((await browser.visit('/instances')).status, 303, 'an operator is no owner')

  // The address passes to another person; the operator gets another one.
  person(office, 'ada-at-work', 'ada@elsewhere.example')
  person(office, 'newcomer', 'ada@example.com')
  const refused = await signInAt(office.browser(), 'newcomer')
  assert.equal(refused.status, 403)
  assert.match(refused.text, /No operator of this site signs in as ada@example.com/)
  assert.equal((await signInAt(office.browser(), 'ada-at-work')).status, 303)
})

test('the provider signs in neither strangers, nor unverified addresses, nor operators with a password', async t => {
  const office = await openOffice(t)
  const bob = await office.join('bob', 'own')
  await office.invite('ada', 'own')
  person(office, 'stranger', 'stranger@example.com')
  person(office, 'liar', 'ada@example.com', false)
  person(office, 'bob', bob.email)
  for (const sub of ['stranger', 'liar', 'bob']) {
    const browser = office.browser()
    assert.equal((await signInAt(browser, sub)).status, 403, sub)
    assert.equal((await browser.visit('/admin/instances')).status, 303, sub)
  }
  // Owners are not concerned, and have no account after an operator's sign-in.
  const owner = await office.owner('owner')
  assert.equal((await owner.visit('/instances')).status, 200)
  assert.equal((await owner.visit('/admin/instances')).status, 303)
  assert.equal((await office.signIn(office.browser(), bob.email, password)).status, 303)
})

test('a provider whose word on addresses is not trusted signs in no operator', async t => {
  const office = await openOffice(t, { env: { OPENID_EMAIL_TRUST: 'any' } })
  await office.invite('ada', 'own')
  const browser = office.browser()
  assert.doesNotMatch((await browser.visit('/login')).text, /Sign in with Example/)
  assert.equal((await browser.visit('/login/provider', {})).status, 503)
})

test('an operator links an account at the provider to a sign-in that is there, and removes it again', async t => {
  const office = await openOffice(t)
  const [bob, eve] = [await office.join('bob', 'own'), await office.join('eve', 'operate')]
  person(office, 'robert', 'robert@elsewhere.example')
  const link = async (browser: OwnerBrowser, sub: string) => {
    const begun = await browser.visit('/admin/me/provider', {})
    assert.equal(begun.status, 303, begun.text)
    return goThrough(begun.headers.location ?? '', sub)
  }
  const finish = (browser: OwnerBrowser, back: URL) => browser.visit(back.pathname + back.search)
  assert.equal((await signInAt(office.browser(), 'robert')).status, 403)
  assert.match((await bob.browser.visit('/admin/me')).text, /Link an account/)
  assert.equal((await finish(bob.browser, await link(bob.browser, 'robert'))).headers.location, '/admin/me')
  const me = (await bob.browser.call('GET', '/admin/me')).json<{ has_provider: boolean; email: string }>()
  assert.deepEqual([me.has_provider, me.email], [true, bob.email], 'the address stays')
  assert.equal((await signInAt(office.browser(), 'robert')).status, 303)
  const linked = await office.entries('change-sign-in')
  assert.ok(
    linked.some(
      ({ detail, target }) => target === bob.email && /linked to robert@elsewhere/.test(detail ?? ''),
    ),
  )

  // One account signs in one operator, and a link is completed only by who began it, where they began it.
  assert.equal((await finish(eve.browser, await link(eve.browser, 'robert'))).status, 409)
  person(office, 'eva', 'eva@elsewhere.example')
  const begun = await link(eve.browser, 'eva')
  assert.equal((await finish(office.browser(), begun)).status, 400, 'a stranger')
  const again = await link(eve.browser, 'eva')
  await eve.browser.visit('/logout', {})
  assert.equal((await finish(eve.browser, again)).status, 400, 'signed out meanwhile')
  const operators = await office.admin<{ operators: { email: string; has_provider: boolean }[] }>(
    'GET',
    '/admin/operators',
  )
  assert.deepEqual(
    operators.body.operators.map(({ email, has_provider }) => [email, has_provider]),
    [
      [bob.email, true],
      [eve.email, false],
    ],
  )
  assert.equal((await office.browser().visit('/admin/me/provider', {})).status, 303)
  assert.equal(
    (await office.admin('POST', '/admin/me/provider')).status,
    403,
    'the admin token has no account',
  )

  assert.equal((await bob.browser.visit('/admin/me/provider/remove', {})).status, 303)
  assert.equal((await signInAt(office.browser(), 'robert')).status, 403)
  office.clock.advance(11 * 60_000)
  const stale = await bob.browser.visit('/admin/me/provider', {})
  assert.match(stale.headers.location ?? '', /^\/login\?again=1/, 'it asks for a sign-in again')
})

test('the provider as the last way in is not removed', async t => {
  const office = await openOffice(t)
  await office.invite('ada', 'own')
  person(office, 'ada', 'ada@example.com')
  const browser = office.browser()
  await signInAt(browser, 'ada')
  assert.equal((await browser.visit('/admin/me/provider/remove', {})).status, 409)
  assert.equal((await signInAt(office.browser(), 'ada')).status, 303)
})
