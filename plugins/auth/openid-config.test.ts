import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootForTest, keptLog } from '../../control-plane/boot.fixture.ts'
import { openDoorstep } from './account.fixture.ts'
import { adminToken, browser, openGate } from './auth.fixture.ts'
import { auth } from './index.ts'
import { envOf } from './openid.fixture.ts'

test('without a provider the pages say so, the routes answer 503, and the log names what is off', async t => {
  const { ask } = await openGate(t)
  assert.match(
    await (await ask('/sign-in', { headers: browser })).text(),
    /has not set up a sign-in provider/,
  )
  assert.match(await (await ask('/login', { headers: browser })).text(), /Owners cannot sign in/)
  assert.equal((await ask('/', { headers: browser })).headers.get('location'), '/admin/overview')
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

test('an incomplete provider configuration stops the start, and every missing setting is named', async t => {
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

test('forms may lead to the provider’s origin, and to no other', async t => {
  const { provider, ask } = await openDoorstep(t)
  const policy = (await ask('/sign-in', { headers: browser })).headers.get('content-security-policy') ?? ''
  assert.ok(policy.includes(`form-action 'self' ${provider.issuer};`), policy)
})
