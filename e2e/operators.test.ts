import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { ask } from '../src/testing/ask.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'
import { startLonghouse } from './longhouse.fixture.ts'

/** A device with a fingerprint reader, which always agrees. */
async function addAuthenticator(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
  return {
    agrees: (isUserVerified: boolean) =>
      session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  }
}

test('an operator accepts with a passkey, signs in with it alone, and adds another', {
  skip: noBrowser,
  timeout: 600_000,
}, async t => {
  const longhouse = await startLonghouse(t, { driver: 'process' })
  const origin = `http://control.localhost:${longhouse.port}`
  const invited = await longhouse.admin('/admin/operators', {
    method: 'POST',
    body: { name: 'Ada', email: 'ada@example.com', role: 'own' },
  })
  assert.equal(invited.status, 201, invited.text)
  const { invitation_url: url, id } = invited.json<{ invitation_url: string; id: string }>()
  const { page, complaints } = await openBrowser(t, { javaScript: true })
  const device = await addAuthenticator(page)

  await page.goto(url)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL(`${origin}/admin/overview`)
  assert.equal((await device.credentials()).length, 1)
  await page.getByRole('link', { name: 'Ada' }).click()
  await page.getByRole('heading', { name: 'Your sign-in' }).waitFor()
  await page.getByRole('cell', { name: 'first passkey' }).first().waitFor()

  await page.getByRole('button', { name: 'Sign out' }).first().click()
  await page.waitForURL(`${origin}/login`)
  await page.goto(`${origin}/login?next=/admin/me`)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL(`${origin}/admin/me`)

  // One who cannot prove that it is them gets nowhere, and reads why.
  await page.getByRole('button', { name: 'Sign out' }).first().click()
  await page.waitForURL(`${origin}/login`)
  await device.agrees(false)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('It was cancelled, or took too long').waitFor()
  await device.agrees(true)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL(`${origin}/admin/overview`)

  // What was sent once is taken once: a copy of the whole request signs in no one.
  await page.getByRole('button', { name: 'Sign out' }).first().click()
  await page.waitForURL(`${origin}/login`)
  const sent = page.waitForRequest(request => request.url() === `${origin}/login/passkey`)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  const request = await sent
  const { cookie = '', 'content-type': type = '' } = await request.allHeaders()
  assert.match(cookie, /longhouse_passkey=/)
  await page.waitForURL(`${origin}/admin/overview`)
  const replay = await ask({
    ...{ port: longhouse.port, host: new URL(origin).host, method: 'POST', path: '/login/passkey' },
    headers: { Cookie: cookie, 'Content-Type': type },
    body: request.postData() ?? '',
  })
  assert.equal(replay.status, 400, replay.text)
  assert.match(replay.text, /was used already/)

  // Removed, it no longer signs in.
  const reset = await longhouse.admin(`/admin/operators/${id}/reset`, { method: 'POST', body: {} })
  assert.equal(reset.status, 200)
  await page.goto(`${origin}/login`)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('No operator of this site has this passkey').waitFor()
  assert.deepEqual(complaints, [])
})

test('without JavaScript, an operator accepts with a password and an app', {
  skip: noBrowser,
  timeout: 600_000,
}, async t => {
  const longhouse = await startLonghouse(t, { driver: 'process' })
  const invited = await longhouse.admin('/admin/operators', {
    method: 'POST',
    body: { name: 'Ada', email: 'ada@example.com', role: 'operate' },
  })
  const { page, complaints } = await openBrowser(t, { javaScript: false })
  await page.goto(invited.json<{ invitation_url: string }>().invitation_url)
  assert.equal(await page.getByRole('button', { name: 'Use a passkey' }).isVisible(), false)
  await page.getByLabel('Password').fill('several words that are easy')
  await page.getByRole('button', { name: 'Use a password' }).click()
  await page.getByRole('img', { name: 'QR code for your app' }).waitFor()
  await page.getByRole('textbox', { name: 'Code' }).fill('123456')
  await page.getByRole('button', { name: 'Confirm and sign in' }).click()
  await page.getByText('six digits that the app shows now').waitFor()
  assert.deepEqual(complaints, [])
})
