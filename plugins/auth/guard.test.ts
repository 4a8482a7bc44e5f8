import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminToken, browser, type Gate, openGate } from './auth.fixture.ts'

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const wrong = bearer('wrong-horse-battery-staple')

/** Ten wrong tries, as many as are free. */
async function exhaust({ ask }: Gate, init: Parameters<Gate['ask']>[1] = {}): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const { status } = await ask('/vault', { ...init, headers: { ...wrong, ...init.headers } })
    assert.equal(status, 401, `try ${i}`)
  }
}

test('the admin token is accepted, whatever the case of the scheme', async t => {
  const { ask } = await openGate(t)
  for (const value of [`Bearer ${adminToken}`, `bearer ${adminToken}`, `BEARER   ${adminToken}`]) {
    const response = await ask('/vault', { headers: { Authorization: value } })
    assert.equal(response.status, 200, value)
    assert.equal(await response.text(), 'gold')
  }
})

test('any other credentials get 401 with the scheme to use, and no content', async t => {
  const { ask } = await openGate(t)
  const values = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${adminToken}x`,
    `Bearer ${adminToken} x`,
    `Bearer "${adminToken}"`,
    `Token ${adminToken}`,
    `Basic ${btoa(`admin:${adminToken}`)}`,
    adminToken,
  ]
  for (const value of values) {
    for (const method of ['GET', 'POST']) {
      const response = await ask('/vault', {
        method,
        headers: value === undefined ? {} : { Authorization: value },
      })
      assert.equal(response.status, 401, String(value))
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      assert.doesNotMatch(await response.text(), /gold/)
    }
  }
  for (const path of [`/vault?token=${adminToken}`, `/vault?access_token=${adminToken}`]) {
    assert.equal((await ask(path)).status, 401, 'no token from an address, which logs keep')
  }
  assert.equal((await ask('/street')).status, 200)
})

test('a browser is redirected to sign in and back; a fragment request gets a header instead', async t => {
  const { ask } = await openGate(t)
  const page = await ask('/vault?tab=2', { headers: browser })
  assert.equal(page.status, 303)
  assert.equal(page.headers.get('location'), '/login?next=%2Fvault%3Ftab%3D2')
  const form = await ask('/vault', { method: 'POST', headers: browser })
  assert.equal(form.headers.get('location'), '/login?next=%2F')
  const fragment = await ask('/vault', { headers: { ...browser, 'HX-Request': 'true' } })
  assert.equal(fragment.status, 401)
  assert.equal(fragment.headers.get('hx-redirect'), '/login')
})

test('after ten wrong tokens, an address is rate limited; the right token still works', async t => {
  const gate = await openGate(t)
  const { ask, clock, signIn } = gate
  await exhaust(gate)
  const limited = await ask('/vault', { headers: wrong })
  assert.equal(limited.status, 429)
  assert.equal(limited.headers.get('retry-after'), '600')
  assert.match(((await limited.json()) as { detail: string }).detail, /Wait 10 minutes/)

  assert.equal(
    (await ask('/vault', { headers: bearer(adminToken) })).status,
    200,
    'scripts are not locked out',
  )
  const form = await signIn('wrong')
  assert.equal(form.response.status, 429)
  assert.equal(form.cookie, '')
  assert.match(form.response.headers.get('content-type') ?? '', /^text\/html/)
  assert.equal(
    (await ask('/vault', { headers: wrong, peer: '192.0.2.8' })).status,
    401,
    'a neighbour may try',
  )
  assert.equal((await signIn()).response.status, 303, 'nor is the operator, at the form')

  clock.advance(600_000)
  assert.equal((await ask('/vault', { headers: wrong })).status, 401)
  assert.equal((await signIn()).response.status, 303)
})

test('wrong tokens in the form count as well, and a success resets the count', async t => {
  const { ask, signIn } = await openGate(t)
  for (let i = 0; i < 9; i++) assert.equal((await signIn('wrong')).response.status, 401)
  assert.equal((await signIn()).response.status, 303)
  for (let i = 0; i < 10; i++) assert.equal((await signIn('wrong')).response.status, 401)
  assert.equal((await signIn('wrong')).response.headers.get('retry-after'), '600')
  const json = await ask('/login', { method: 'POST', body: '{"token":"wrong"}' })
  assert.equal(json.status, 429)
  assert.equal(json.headers.get('content-type'), 'application/problem+json')
})

test('an IPv6 /64 counts as one address', async t => {
  const gate = await openGate(t)
  await exhaust(gate, { peer: '2001:db8:1:2::1' })
  assert.equal((await gate.ask('/vault', { headers: wrong, peer: '2001:db8:1:2:ff::9' })).status, 429)
  assert.equal((await gate.ask('/vault', { headers: wrong, peer: '2001:db8:1:3::1' })).status, 401)
})

test('forwarded addresses count only from a trusted proxy', async t => {
  const direct = await openGate(t)
  for (let i = 0; i < 10; i++) {
    await direct.ask('/vault', { headers: { ...wrong, 'X-Forwarded-For': `198.51.100.${i}` } })
  }
  const spoofed = { ...wrong, 'X-Forwarded-For': '198.51.100.99' }
  assert.equal(
    (await direct.ask('/vault', { headers: spoofed })).status,
    429,
    'a made-up address is no way round',
  )

  const behind = await openGate(t, { env: { LONGHOUSE_TRUSTED_PROXIES: '10.0.0.1' } })
  const from = (address: string) => ({ peer: '10.0.0.1', headers: { 'X-Forwarded-For': address } })
  await exhaust(behind, from('198.51.100.1'))
  const ask = async (address: string) =>
    (await behind.ask('/vault', { peer: '10.0.0.1', headers: { ...wrong, 'X-Forwarded-For': address } }))
      .status
  assert.equal(await ask('198.51.100.1'), 429)
  assert.equal(await ask('203.0.113.5, 198.51.100.1'), 429, 'what the client wrote itself is no way round')
  assert.equal(await ask('198.51.100.2'), 401, 'another customer of the proxy may try')
})

test('a session or a token that ends while a body is sent changes nothing any more', async t => {
  const gate = await openGate(t)
  const { cookie } = await gate.signIn()
  const begin = (headers: Record<string, string>) => {
    const sent = new TransformStream<Uint8Array, Uint8Array>()
    const writer = sent.writable.getWriter()
    const init = { method: 'POST', headers, body: sent.readable, duplex: 'half' as const }
    const answer = gate.ask('/vault', init)
    return {
      finish: async () => {
        await writer.write(Buffer.from('{}'))
        await writer.close()
        return answer
      },
    }
  }
  const kept = begin({ Cookie: cookie })
  assert.equal(await (await kept.finish()).text(), 'more gold')
  const byProgram = begin({ Cookie: cookie })
  const byPage = begin({ Cookie: cookie, ...browser })
  assert.equal((await gate.ask('/logout', { method: 'POST', headers: { Cookie: cookie } })).status, 204)
  assert.equal((await byProgram.finish()).status, 401)
  const page = await byPage.finish()
  assert.deepEqual([page.status, page.headers.get('location')], [303, '/login?next=%2F'])
})
