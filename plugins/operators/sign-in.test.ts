import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { softwarePasskey } from './authenticator.fixture.ts'
import { openOffice, password } from './operators.fixture.ts'

const minute = 60_000
const day = 24 * 60 * minute

interface Listed {
  id: string
  email: string
  role: string
  joined_at: string | null
  has_app: boolean
  recovery_codes: number
}

test('an invited operator chooses a password, sets up an app, and signs in with both', async t => {
  const office = await openOffice(t)
  const { path, code } = await office.invite('ada', 'operate')
  const browser = office.browser()
  const page = await browser.visit(path)
  assert.match(page.text, /Welcome, ada/)
  assert.match(page.text, /role Operate, as <strong>ada@example.com/)
  assert.equal((await browser.visit(path)).status, 200, 'opening it changes nothing')
  const short = await browser.visit('/invitation', { code, password: 'short' })
  assert.equal(short.status, 422)
  assert.match(short.text, /at least 12 characters/)

  const accepted = await browser.visit('/invitation', { code, password })
  assert.equal(accepted.headers.location, '/login/set-up')
  assert.equal(
    (await browser.visit('/admin/instances')).status,
    303,
    'not signed in before the second factor',
  )
  assert.equal((await browser.visit('/admin/me')).status, 303)
  assert.equal((await browser.visit(path)).status, 404, 'it works once')
  const setUp = await browser.visit('/login/set-up')
  assert.match(setUp.text, /<svg class="qr-code"[^>]*aria-label="QR code for your app"/)
  assert.equal((await browser.visit('/login/set-up', { code: '000000' })).status, 422)

  const ada = await office.join('bob', 'operate')
  assert.equal(ada.recoveryCodes.length, 10)
  assert.equal((await ada.browser.visit('/admin/instances')).status, 200)

  const other = office.browser()
  const first = await office.signIn(other, 'BOB@example.com', password)
  assert.deepEqual([first.status, first.location], [303, '/login/code'])
  assert.equal((await other.visit('/admin/instances')).status, 303)
  assert.equal((await other.visit('/login/set-up')).status, 400, 'no second app by the password alone')
  const wrong = await other.visit('/login/code', { code: '000000' })
  assert.equal(wrong.status, 401)
  assert.match(wrong.text, /neither the code/)
  const now = office.codeOf(ada.secret)
  assert.equal((await other.visit('/login/code', { code: now })).headers.location, '/admin/overview')
  assert.equal((await other.visit('/admin/instances')).status, 200)

  const third = office.browser()
  await office.signIn(third, ada.email, password)
  assert.equal((await third.visit('/login/code', { code: now })).status, 401, 'a code works once')
  office.clock.advance(30_000)
  assert.equal((await third.visit('/login/code', { code: office.codeOf(ada.secret) })).status, 303)

  const kept = readFileSync(join(office.root, '.control/longhouse.db'), 'latin1')
  for (const secret of [
    password,
    ada.secret,
    code,
    ...ada.recoveryCodes.map(each => each.replaceAll('-', '')),
  ])
    assert.ok(!kept.includes(secret), 'the database holds no secret')
})

test('a recovery code stands in for the app, once, and is counted', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'own')
  const [code = ''] = ada.recoveryCodes
  const browser = office.browser()
  await office.signIn(browser, ada.email, password)
  assert.equal((await browser.visit('/login/code', { code: code.toUpperCase() })).status, 303)
  const me = (await browser.call('GET', '/admin/me')).json<Listed>()
  assert.equal(me.recovery_codes, 9)
  const again = office.browser()
  await office.signIn(again, ada.email, password)
  assert.equal((await again.visit('/login/code', { code })).status, 401)
  assert.equal((await office.entries('change-sign-in'))[0]?.detail, 'a recovery code was used')

  const made = (await browser.call('POST', '/admin/me/recovery-codes', {})).json<{
    recovery_codes: string[]
  }>()
  assert.equal(made.recovery_codes.length, 10)
  const [, old = ''] = ada.recoveryCodes
  assert.equal((await again.visit('/login/code', { code: old })).status, 401, 'earlier ones are replaced')
  assert.equal((await again.visit('/login/code', { code: made.recovery_codes[0] ?? '' })).status, 303)
})

test('an invitation expires, can be revoked and replaced, and is for the one who has it', async t => {
  const office = await openOffice(t)
  const opens = async (path: string) => (await office.browser().visit(path)).status
  const { id, path } = await office.invite('ada', 'read')
  assert.equal(await opens(path), 200)
  assert.equal(await opens('/invitation?code=guess'), 404)
  const { body } = await office.admin<{ invitation_url: string }>('POST', `/admin/operators/${id}/reset`)
  assert.equal(await opens(path), 404, 'replaced')
  const newer = new URL(body.invitation_url)
  office.clock.advance(3 * day - 1)
  assert.equal(await opens(newer.pathname + newer.search), 200)
  office.clock.advance(1)
  assert.equal(await opens(newer.pathname + newer.search), 404, 'expired')
  assert.equal((await office.admin('POST', `/admin/operators/${id}/revoke-invitation`)).status, 204)
  assert.equal(
    (await office.admin('POST', `/admin/operators/${id}/reset`)).status,
    404,
    'one who never joined is gone',
  )

  const bad = await office.admin<{ errors: { path: string }[] }>('POST', '/admin/operators', {
    body: { name: ' ', email: 'nobody', role: 'king' },
  })
  assert.equal(bad.status, 422)
  assert.deepEqual(bad.body.errors.map(({ path }) => path).sort(), ['email', 'name', 'role'])
  await office.invite('bob', 'read')
  const twice = await office.admin<{ errors: { path: string; message: string }[] }>(
    'POST',
    '/admin/operators',
    {
      body: { name: 'Bob', email: 'Bob@Example.com', role: 'own' },
    },
  )
  assert.equal(twice.status, 422)
  assert.match(twice.body.errors[0]?.message ?? '', /bob@example.com is an operator already/)
})

test('a role and a password alone are enough only below the role that demands a second factor', async t => {
  const office = await openOffice(t)
  const reader = await office.join('ada', 'read')
  assert.equal(reader.secret, '', 'none is demanded of readers')
  assert.equal((await reader.browser.visit('/admin/instances')).status, 200)
  const other = office.browser()
  assert.equal((await office.signIn(other, reader.email, password)).location, '/admin/overview')

  // A role that demands one: it is set up at the next sign-in.
  const { status } = await office.admin('POST', `/admin/operators/${reader.id}/role`, {
    body: { role: 'operate' },
  })
  assert.equal(status, 204)
  assert.equal((await other.visit('/admin/instances')).status, 303, 'the sessions have ended')
  assert.equal((await office.signIn(other, reader.email, password)).location, '/login/set-up')

  const strict = await openOffice(t, { env: { OPERATORS_SECOND_FACTOR: 'read' } })
  assert.notEqual((await strict.join('ada', 'read')).secret, '')
  const lax = await openOffice(t, { env: { OPERATORS_SECOND_FACTOR: 'never' } })
  assert.equal((await lax.join('ada', 'own')).secret, '')
})

test('the admin token resets a sign-in; the operator’s sessions end, and a new invitation lets them in', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'own')
  const { body, status } = await office.admin<{ invitation_url: string }>(
    'POST',
    `/admin/operators/${ada.id}/reset`,
  )
  assert.equal(status, 200)
  assert.equal((await ada.browser.visit('/admin/instances')).status, 303)
  assert.equal((await office.signIn(office.browser(), ada.email, password)).status, 401)
  const code = new URL(body.invitation_url).searchParams.get('code') ?? ''
  const again = office.browser()
  const accepted = await again.visit('/invitation', { code, password: `${password} again` })
  assert.equal(accepted.headers.location, '/login/set-up', 'with a new app')
  const entry = (await office.entries('reset-operator'))[0]
  assert.deepEqual([entry?.target, entry?.actor.name, entry?.result], [ada.email, 'admin token', 'done'])
})

test('what has grave consequences needs a sign-in within ten minutes, of a browser', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'own')
  office.clock.advance(10 * minute)
  const wish = { name: 'bob', email: 'bob@example.com', role: 'read' }
  for (const [path, body] of [
    ['/admin/operators', wish],
    ['/admin/tokens', { name: 'script', role: 'read' }],
    ['/admin/me/password', { password }],
    ['/admin/instances/acme/purge', { confirm: 'acme' }],
  ] as const) {
    const refused = await ada.browser.call('POST', path, body)
    assert.equal(refused.status, 403, path)
    assert.equal(refused.json<{ type: string }>().type, 'urn:longhouse:problem:sign-in-again', path)
  }
  assert.equal((await ada.browser.call('DELETE', '/admin/instances/acme?purge=true')).status, 403)
  assert.equal(
    (await ada.browser.call('DELETE', '/admin/instances/acme')).status,
    404,
    'a removal keeps the data',
  )
  assert.equal((await ada.browser.visit('/admin/operators')).status, 200, 'looking needs none')
  assert.equal(
    (await office.admin<{ operators: Listed[] }>('GET', '/admin/operators')).body.operators.length,
    1,
  )
  const form = await ada.browser.visit('/admin/operators', wish)
  assert.equal(form.status, 303)
  assert.match(form.headers.location ?? '', /^\/login\?again=1&next=/)
  assert.match((await ada.browser.visit(form.headers.location ?? '')).text, /Nothing was changed/)

  await office.signIn(ada.browser, ada.email, password)
  await ada.browser.visit('/login/code', { code: office.codeOf(ada.secret) })
  assert.equal((await ada.browser.call('POST', '/admin/operators', wish)).status, 201)
  office.clock.advance(day)
  const token = await office.admin('POST', '/admin/operators', { body: { ...wish, email: 'c@example.com' } })
  assert.equal(token.status, 201, 'a bearer token is sent each time')
})

test('a sign-in begun with the old password ends with a reset, a new password and a new role', async t => {
  const office = await openOffice(t)
  const thiefOf = async (email: string) => {
    const browser = office.browser()
    assert.equal((await office.signIn(browser, email, password)).location, '/login/code')
    return browser
  }
  const ada = await office.join('ada', 'own')
  const thief = await thiefOf(ada.email)
  const { body } = await office.admin<{ invitation_url: string }>('POST', `/admin/operators/${ada.id}/reset`)
  const code = new URL(body.invitation_url).searchParams.get('code') ?? ''
  const again = office.browser()
  await again.visit('/invitation', { code, password: 'a new one of many words' })
  assert.equal((await thief.visit('/login/set-up')).status, 400, 'the thief does not see the new app')
  const page = await again.visit('/login/set-up')
  assert.equal(page.status, 200, 'the operator does')
  const typed = /<code class="secret">([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? ''
  const now = office.codeOf(typed.replaceAll(' ', ''))
  assert.equal((await thief.visit('/login/set-up', { code: now })).status, 400)
  assert.equal((await again.visit('/login/set-up', { code: now })).status, 200)

  const bob = await office.join('bob', 'own')
  const other = await thiefOf(bob.email)
  const changed = await bob.browser.call('POST', '/admin/me/password', { password: 'other words, and many' })
  assert.equal(changed.status, 204)
  const [first = ''] = bob.recoveryCodes
  assert.equal((await other.visit('/login/code', { code: first })).status, 400)
  assert.equal((await office.signIn(other, bob.email, 'other words, and many')).location, '/login/code')
  assert.equal((await other.visit('/login/code', { code: first })).status, 303, 'the code was not used up')

  const eve = await office.join('eve', 'operate')
  const stale = await thiefOf(eve.email)
  for (const role of ['own', 'operate'])
    await office.admin('POST', `/admin/operators/${eve.id}/role`, { body: { role } })
  const late = await stale.visit('/login/code', { code: eve.recoveryCodes[0] ?? '' })
  assert.equal(late.status, 400)
  assert.match(late.text, /was changed meanwhile\. Start again/)
})

test('a passkey that another operator has is refused, and no one joins with it', async t => {
  const office = await openOffice(t)
  const origin = `http://control.localhost:${office.port}`
  const accept = async (name: string, id?: Buffer) => {
    const { code } = await office.invite(name, 'operate')
    const browser = office.browser()
    const options = await browser.call('POST', '/invitation/passkey/options', { code })
    const key = softwarePasskey(origin, id)
    const credential = key.make(options.json<{ challenge: string; rp: { id: string } }>())
    return { key, reply: await browser.call('POST', '/invitation/passkey', { code, credential }) }
  }
  const ada = await accept('ada')
  assert.equal(ada.reply.status, 204, ada.reply.text)
  const copied = await accept('bob', ada.key.id)
  assert.equal(copied.reply.status, 403, copied.reply.text)
  assert.match(copied.reply.text, /passkey-refused.*registered already.*Nothing was changed/)
  const { body } = await office.admin<{ operators: Listed[] }>('GET', '/admin/operators')
  const joined = body.operators.filter(({ joined_at }) => joined_at !== null)
  assert.deepEqual([body.operators.length, joined.map(({ email }) => email)], [2, ['ada@example.com']])
  const browser = office.browser()
  const options = await browser.call('POST', '/login/passkey/options')
  const credential = ada.key.use(options.json<{ challenge: string; rpId: string }>())
  assert.equal((await browser.call('POST', '/login/passkey', { credential })).status, 204)
  assert.equal((await browser.call('GET', '/admin/me')).json<Listed>().email, 'ada@example.com')
})
