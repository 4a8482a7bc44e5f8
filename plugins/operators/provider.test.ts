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
