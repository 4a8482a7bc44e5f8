import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countSql } from '../../src/testing/counted-sql.ts'
import { openOffice, password } from './operators.fixture.ts'

test('what operators do is recorded by name, and so is what changes them', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'own')
  const bob = await ada.browser.call('POST', '/admin/operators', {
    ...{ name: 'Bob', email: 'bob@example.com', role: 'read' },
  })
  const { id } = bob.json<{ id: string }>()
  assert.equal(
    (await ada.browser.call('POST', `/admin/operators/${id}/role`, { role: 'operate' })).status,
    204,
  )
  assert.equal((await ada.browser.call('DELETE', `/admin/operators/${id}`)).status, 204)
  assert.equal(
    (await ada.browser.call('POST', '/admin/instances', { subdomain: 'acme', owner_email: 'o@example.com' }))
      .status,
    202,
  )
  const entries = (await office.entries()).filter(({ actor }) => actor.name === 'ada')
  const found = entries.map(({ action, target, detail }) => [action, target, detail].join(' ').trim())
  for (const wanted of [
    'invite-operator bob@example.com role read',
    'change-operator bob@example.com role read → operate',
    'remove-operator bob@example.com role operate',
    'join-operator ada@example.com with a password',
    'change-sign-in ada@example.com app added',
  ])
    assert.ok(found.includes(wanted), `${wanted}: ${found.join('; ')}`)
  const provision = entries.find(({ action }) => action === 'provision')
  assert.deepEqual(provision?.actor, { kind: 'operator', id: ada.id, name: 'ada' })
  const all = JSON.stringify(await office.entries())
  assert.ok(!all.includes('several words'), 'no secret is recorded')

  // The last one with the role Own may go: the token stays.
  assert.equal((await ada.browser.call('DELETE', `/admin/operators/${ada.id}`)).status, 204)
  assert.equal((await ada.browser.visit('/admin/instances')).status, 303)
  assert.equal((await office.admin('GET', '/admin/operators')).status, 200)
})

test('operators end their own sessions; a new password ends the others', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'read')
  const grace = await office.join('grace', 'read')
  const [cafe, home] = [office.browser(), office.browser()]
  for (const browser of [cafe, home]) await office.signIn(browser, ada.email, password)
  const list = async () =>
    (await ada.browser.call('GET', '/admin/me')).json<{ sessions: { id: string; current: boolean }[] }>()
      .sessions
  const sessions = await list()
  assert.equal(sessions.length, 3)
  const elsewhere = sessions.find(({ current }) => !current)?.id ?? ''
  assert.equal((await grace.browser.call('POST', `/admin/me/sessions/${elsewhere}/end`, {})).status, 404)
  assert.equal((await ada.browser.call('POST', `/admin/me/sessions/${elsewhere}/end`, {})).status, 204)
  assert.equal((await list()).length, 2)
  const changed = await ada.browser.call('POST', '/admin/me/password', {
    password: 'another one of many words',
  })
  assert.equal(changed.status, 204)
  assert.equal((await list()).length, 1)
  for (const browser of [cafe, home]) assert.equal((await browser.visit('/admin/instances')).status, 303)
  assert.equal((await ada.browser.visit('/admin/instances')).status, 200)
  assert.equal((await grace.browser.visit('/admin/instances')).status, 200, 'no one else’s')
  assert.equal((await office.signIn(cafe, ada.email, password)).status, 401)
  assert.equal((await office.signIn(cafe, ada.email, 'another one of many words')).status, 303)
})

test('the last way in cannot be removed', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'operate')
  const removed = await ada.browser.call('POST', '/admin/me/app/remove', {})
  assert.equal(removed.status, 409)
  assert.match(removed.json<{ detail: string }>().detail, /could not sign in any more.*Nothing was changed/)
  const begun = (await ada.browser.call('POST', '/admin/me/app', {})).json<{ secret: string; uri: string }>()
  assert.match(begun.uri, /^otpauth:\/\/totp\/Longhouse%20localhost:ada%40example\.com\?/)
  assert.notEqual(begun.secret, ada.secret)
  const confirmed = await ada.browser.call('POST', '/admin/me/app/confirm', {
    code: office.codeOf(begun.secret),
  })
  assert.equal(confirmed.status, 200)
  const browser = office.browser()
  await office.signIn(browser, ada.email, password)
  office.clock.advance(30_000)
  assert.equal(
    (await browser.visit('/login/code', { code: office.codeOf(ada.secret) })).status,
    401,
    'replaced',
  )
  assert.equal((await browser.visit('/login/code', { code: office.codeOf(begun.secret) })).status, 303)
})

test('the list of operators takes as many statements for many as for one', async t => {
  const office = await openOffice(t)
  const { naming } = countSql(t)
  const list = () => naming('operators_passkeys', () => office.admin('GET', '/admin/operators'))
  await office.join('ada', 'own')
  const few = await list()
  assert.ok(few > 0)
  for (const name of ['ben', 'cleo', 'dora', 'emil']) await office.invite(name, 'read')
  assert.equal(await list(), few)
})

test('no operator and no token is called as the program calls itself, or has invisible characters', async t => {
  const office = await openOffice(t)
  const refused = async (path: string, body: object) => {
    const { status, body: answer } = await office.admin<{ errors?: { path: string }[] }>('POST', path, {
      body,
    })
    return [status, answer.errors?.map(({ path }) => path).join()]
  }
  for (const name of [
    'admin token',
    'Admin\u00a0 TOKEN',
    'not signed in',
    'Ann\u202egpj',
    'An\u200bn',
    'a\nb',
  ]) {
    const email = 'ann@example.com'
    assert.deepEqual(await refused('/admin/operators', { name, email, role: 'read' }), [422, 'name'], name)
    assert.deepEqual(await refused('/admin/tokens', { name, role: 'read' }), [422, 'name'], name)
  }
  for (const name of ['Ann O’Neill', 'José Ñandú', '山田 太郎', 'admin tokens'])
    assert.equal(
      (await office.admin('POST', '/admin/tokens', { body: { name, role: 'read' } })).status,
      201,
      name,
    )
})
