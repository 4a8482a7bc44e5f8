import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { startLonghouse } from './longhouse.fixture.ts'

test('without sign-in, mail and Stripe, the log, the routes and the pages say what is off', async t => {
  const { port, output, admin } = await startLonghouse(t, { driver: 'process' })
  for (const words of [
    'owners cannot sign up or in: GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET are not set',
    'mail is off: SMTP_URL and SMTP_FROM are not set',
    'billing is off: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and BILLING_PLANS are not set',
  ]) {
    // The log and the words on where it runs come by two ways.
    await eventually(`the log says: ${words}`, () => output().includes(words))
  }

  const stranger = (path: string, method = 'GET', headers = {}) =>
    ask({ port, host: `control.localhost:${port}`, path, method, headers })
  for (const [code, path, reply] of [
    ['sign-in-off', '/auth/google', await stranger('/auth/google', 'POST')],
    ['sign-in-off', 'callback', await stranger('/auth/google/callback?code=x&state=y')],
    ['billing-off', '/checkout', await stranger('/checkout', 'POST')],
    ['billing-off', '/portal', await stranger('/portal', 'POST')],
    ['billing-off', '/webhooks/stripe', await stranger('/webhooks/stripe', 'POST')],
    ['billing-off', 'reconcile', await admin('/admin/billing/reconcile', { method: 'POST' })],
    ['billing-off', 'retry', await admin('/admin/billing/events/evt_1/retry', { method: 'POST' })],
    ['mail-off', 'mail', await admin('/admin/mail/mail_1/retry', { method: 'POST' })],
  ] as const) {
    assert.deepEqual([reply.status, reply.headers['content-type']], [503, 'application/problem+json'], path)
    assert.equal(reply.json<{ type: string }>().type, `urn:longhouse:problem:${code}`, path)
  }

  const asPage = { headers: { Accept: 'text/html' } }
  for (const [words, page] of [
    [/Owners cannot sign in: no sign-in provider is set up/, await stranger('/login', 'GET', asPage.headers)],
    [/Sign-in is not set up/, await stranger('/sign-in', 'GET', asPage.headers)],
    [/Billing is off.*STRIPE_SECRET_KEY/s, await admin('/admin/billing', asPage)],
    [/Mail is off.*SMTP_URL/s, await admin('/admin/mail', asPage)],
  ] as const) {
    assert.equal(page.status, 200)
    assert.match(page.text, words)
  }
})

test('incomplete settings of sign-in, mail or Stripe stop the start, which names the missing ones', async t => {
  const plans = '[{"id":"basic","name":"Basic","price":"price_1"}]'
  for (const [env, missing] of [
    [
      { GOOGLE_CLIENT_ID: 'id', SMTP_URL: 'smtp://mail.example.com', STRIPE_SECRET_KEY: 'sk_test_1' },
      ['GOOGLE_CLIENT_SECRET', 'SMTP_FROM', 'STRIPE_WEBHOOK_SECRET', 'BILLING_PLANS'],
    ],
    [
      { GOOGLE_CLIENT_SECRET: 'secret', SMTP_FROM: 'a@example.com', BILLING_PLANS: plans },
      ['GOOGLE_CLIENT_ID', 'SMTP_URL', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
    ],
    [
      { OPENID_ISSUER: 'https://id.example.com', STRIPE_WEBHOOK_SECRET: 'whsec_1' },
      ['GOOGLE_CLIENT_ID', 'STRIPE_SECRET_KEY', 'BILLING_PLANS'],
    ],
  ] as const) {
    await assert.rejects(startLonghouse(t, { driver: 'process', env }), ({ message }: Error) => {
      assert.match(message, /ended with 1:/)
      const told = [...message.matchAll(/\b([A-Z_]+): must be set too\b/g)].map(match => match[1])
      assert.deepEqual(told.sort(), [...missing].sort(), message)
      return true
    })
  }
})
