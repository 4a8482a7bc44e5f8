import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../src/testing/eventually.ts'
import { startInbox } from '../../src/testing/inbox.ts'
import { metrics } from '../metrics/index.ts'
import { openOffice, password } from './operators.fixture.ts'

test('an operator changes their name, which the audit log keeps', async t => {
  const office = await openOffice(t)
  const { browser, email } = await office.join('bob', 'read')
  const refused = await browser.visit('/admin/me/name', { name: ' ' })
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Name and email address/)
  assert.equal((await browser.visit('/admin/me/name', { name: 'Bob Marsh' })).status, 303)
  assert.match((await browser.visit('/admin/me')).text, /Bob Marsh/)
  const [entry] = await office.entries('change-operator')
  assert.deepEqual([entry?.target, entry?.detail], [email, 'name “bob” → “Bob Marsh”'])
  office.clock.advance(11 * 60_000)
  const stale = await browser.visit('/admin/me/name', { name: 'Bobby' })
  assert.match(stale.headers.location ?? '', /^\/login\?again=1/, 'it asks for a sign-in again')
  assert.doesNotMatch((await browser.visit('/admin/me')).text, /Bobby/)
})

test('a new email address proves itself by a link, and the old one gets an email about it', async t => {
  const inbox = await startInbox(t)
  const office = await openOffice(t, { env: { SMTP_URL: inbox.url, SMTP_FROM: 'hello@example.com' } })
  const [bob, eve] = [await office.join('bob', 'operate'), await office.join('eve', 'own')]
  const { browser } = bob
  /** The newest email to an address with these words in its subject, as a reader sees it. */
  const mailed = (to: string, subject: RegExp) =>
    eventually(`an email to ${to}`, async () => {
      await office.program.runOnce('mail:send')
      const found = inbox.mails.filter(each => each.to.includes(to) && subject.test(each.text))
      return found.at(-1)?.text.replaceAll('=\r\n', '').replaceAll('=3D', '=')
    })
  const ask = (email: string) => browser.visit('/admin/me/email', { email })
  const taken = await ask('Eve@example.com')
  assert.equal(taken.status, 422)
  assert.match(taken.text, /is the address of an operator already/)

  assert.equal((await ask('Bob@new.example')).status, 303)
  const proof = await mailed('Bob@new.example', /Subject: Confirm your email address/)
  const path = /\/admin\/me\/email\?code=[\w-]+/.exec(proof)?.[0] ?? ''
  assert.ok(path, proof)
  assert.match((await browser.visit('/admin/me')).text, /bob@new\.example/)
  const page = await browser.visit(path)
  assert.match(page.text, /From now on you sign in as/)
  assert.equal(
    (await browser.call('GET', '/admin/me')).json<{ email: string }>().email,
    bob.email,
    'opening it changes nothing',
  )

  const code = path.split('code=')[1] ?? ''
  const confirm = (who = browser, secret = code) => who.visit('/admin/me/email/confirm', { code: secret })
  assert.equal((await confirm(eve.browser)).status, 404, 'it is another operator’s')
  assert.equal((await confirm(browser, 'guess')).status, 404)
  assert.equal((await confirm()).status, 303)
  assert.equal((await confirm()).status, 404, 'it works once')
  const told = await mailed(bob.email, /Subject: .*was changed/)
  assert.match(told, /you now sign in at .* as bob@new\.example/)
  const [entry] = await office.entries('change-operator')
  assert.deepEqual([entry?.target, entry?.detail], [bob.email, 'email address → bob@new.example'])
  assert.equal((await office.signIn(office.browser(), bob.email, password)).status, 401)
  assert.equal((await office.signIn(office.browser(), 'bob@new.example', password)).status, 303)

  // One that was replaced, and one that is too old.
  await ask('bob@third.example')
  const third = await mailed('bob@third.example', /Subject: Confirm/)
  const old = /code=([\w-]+)/.exec(third)?.[1] ?? ''
  await ask('bob@fourth.example')
  assert.equal((await confirm(browser, old)).status, 404)
  const fourth = await mailed('bob@fourth.example', /Subject: Confirm/)
  const late = /code=([\w-]+)/.exec(fourth)?.[1] ?? ''
  for (let hours = 0; hours < 73; hours += 6) {
    office.clock.advance(6 * 3_600_000)
    await browser.visit('/admin/me')
  }
  assert.equal((await browser.visit(`/admin/me/email?code=${late}`)).status, 404)
})

test('without a mail server no address can prove itself, and it says so', async t => {
  const office = await openOffice(t)
  const { browser } = await office.join('bob', 'read')
  assert.match((await browser.visit('/admin/me')).text, /a mail server must be set up/)
  assert.equal((await browser.visit('/admin/me/email', { email: 'bob@new.example' })).status, 503)
  assert.equal((await browser.call('GET', '/admin/me')).json<{ new_email: unknown }>().new_email, null)
})

test('figures count operators by role, and those whose password alone signs them in', async t => {
  const office = await openOffice(t, { plugins: [metrics] })
  await office.join('bob', 'read')
  await office.join('eve', 'own')
  await office.invite('ada', 'own')
  const { body } = await office.admin<string>('GET', '/metrics')
  assert.match(body, /^longhouse_operators\{role="read"\} 1$/m)
  assert.match(body, /^longhouse_operators\{role="own"\} 1$/m)
  assert.match(body, /^longhouse_operators_without_second_factor\{role="read"\} 1$/m)
  assert.match(body, /^longhouse_operators_without_second_factor\{role="own"\} 0$/m)
})
