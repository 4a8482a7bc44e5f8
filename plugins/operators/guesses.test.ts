import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppEnv } from '../../src/http/route.ts'
import { type Office, openOffice, password } from './operators.fixture.ts'

/** Sends a sign-in from an address. */
async function signInFrom(
  office: Office,
  peer: string,
  body: { email: string; password: string },
  cookie = '',
): Promise<Response> {
  const bindings = { incoming: { socket: { remoteAddress: peer } } } as unknown as AppEnv['Bindings']
  return office.program.app.request(
    `http://control.localhost:${office.port}/login/password`,
    { method: 'POST', body: JSON.stringify(body), headers: { Cookie: cookie } },
    bindings,
  )
}

test('a flood of guesses is slowed down, and locks out neither a known browser nor a new one for long', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'read')
  const mark = ada.browser.cookies.get('longhouse_browser') ?? ''
  assert.ok(mark)
  const wrong = { email: ada.email, password: 'a wrong guess' }
  const right = { email: ada.email, password }
  const from = (i: number) => `10.${i % 256}.${Math.floor(i / 256)}.1`
  let limited = 0
  for (let i = 0; i < 130; i++) {
    const { status } = await signInFrom(office, from(i), wrong)
    if (status === 429) limited++
    else assert.equal(status, 401)
  }
  assert.ok(limited > 20, `${limited} of the flood were not compared`)
  const known = await signInFrom(office, '192.0.2.1', right, `longhouse_browser=${mark}`)
  assert.equal(known.status, 204, 'a browser that signed in before does not wait')
  const fresh = await signInFrom(office, '192.0.2.2', right)
  if (fresh.status === 429) {
    assert.equal(fresh.headers.get('retry-after'), '1')
    office.clock.advance(1000)
    assert.equal((await signInFrom(office, '192.0.2.2', right)).status, 204)
  } else assert.equal(fresh.status, 204)
  const other = { email: 'nobody@example.com', password }
  office.clock.advance(600_000)
  const [unknown, mistaken] = [
    await signInFrom(office, '192.0.2.3', other),
    await signInFrom(office, '192.0.2.3', wrong),
  ]
  assert.deepEqual([unknown.status, mistaken.status], [401, 401])
  const words = async (answer: Response) => ((await answer.json()) as { detail: string }).detail
  assert.equal(await words(unknown), await words(mistaken), 'no one learns which addresses there are')
})

test('another operator’s mark makes no browser known', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'read')
  const bob = await office.join('bob', 'read')
  const mark = `longhouse_browser=${bob.browser.cookies.get('longhouse_browser')}`
  const wrong = { email: ada.email, password: 'a wrong guess' }
  for (let i = 0; i < 10; i++) assert.equal((await signInFrom(office, '192.0.2.7', wrong, mark)).status, 401)
  const next = await signInFrom(office, '192.0.2.7', wrong)
  assert.equal(next.status, 429, 'they counted for the address')
})

test('five wrong codes make strangers wait; a browser that signed in before has its own', async t => {
  const office = await openOffice(t)
  const ada = await office.join('ada', 'operate')
  const thief = office.browser()
  await office.signIn(thief, ada.email, password)
  for (let i = 0; i < 5; i++) assert.equal((await thief.visit('/login/code', { code: '000000' })).status, 401)
  const right = office.codeOf(ada.secret)
  const limited = await thief.visit('/login/code', { code: right })
  assert.equal(limited.status, 429)
  assert.equal(limited.headers['retry-after'], '1800')
  await office.signIn(ada.browser, ada.email, password)
  assert.equal((await ada.browser.visit('/login/code', { code: right })).status, 303, 'the operator gets in')
  const refused = (await office.entries()).filter(
    ({ action, result }) => action === 'POST /login/code' && result === 'refused',
  )
  assert.equal(refused.length, 5)
  assert.ok(refused.every(({ target }) => target === ada.email))
})

test('a stranger without a sign-in in progress fills no audit log, and is slowed down', async t => {
  const office = await openOffice(t)
  const before = (await office.entries()).length
  for (const [path, body] of [
    ['/login/passkey', { credential: '{}' }],
    ['/login/passkey', { credential: '{"id":"a","response":{}}' }],
    ['/login/code', { code: '000000' }],
  ] as const) {
    const statuses: number[] = []
    for (let i = 0; i < 15; i++) statuses.push((await office.browser().call('POST', path, body)).status)
    assert.ok(
      statuses.slice(0, 3).every(status => status !== 500),
      `${path}: ${statuses}`,
    )
    assert.equal(statuses.at(-1), 429, `${path}: ${statuses}`)
    office.clock.advance(600_000)
  }
  assert.equal((await office.entries()).length, before)
})
