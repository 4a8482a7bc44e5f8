import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envOf, startProvider } from '../plugins/auth/openid.fixture.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'
import { startLonghouse } from './longhouse.fixture.ts'

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript'
  test(`an owner passes a closed gate by signing in on the way, ${how}`, {
    skip: noBrowser,
    timeout: 300_000,
  }, async t => {
    const provider = await startProvider(t)
    provider.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
    const longhouse = await startLonghouse(t, { driver: 'process', env: envOf(provider) })
    const control = `http://control.localhost:${longhouse.port}`
    const instance = `http://acme.localhost:${longhouse.port}`
    provider.allow(`${control}/auth/google/callback`)
    await longhouse.provision('acme', 'ada@example.com')
    const { page } = await openBrowser(t, { javaScript })
    const press = (name: string) => page.getByRole('button', { name }).first().click()

    await page.goto(control)
    await press('Sign in with Example')
    await press('Continue as ada')
    await press('Add to my account')
    await page.goto(`${control}/instances/acme/gate`)
    await page.getByLabel('Gate').selectOption('true')
    await page.getByLabel('Public paths').fill('/api/health')
    await press('Save')
    await page.getByText('Closed', { exact: true }).waitFor()
    await page.goto(`${instance}/login`)
    assert.equal(page.url(), `${instance}/login`, 'who is signed in already does not notice')
    await page.getByLabel('Password').waitFor()

    // The provider remembers Ada, so that the sign-in form leads all the way to the instance by redirects.
    await page.goto(control)
    await press('Sign out')
    await page.context().clearCookies({ domain: 'acme.localhost' })
    await page.goto(`${instance}/login?next=%2Frepo`)
    await press('Sign in with Example')
    await page.waitForURL(`${instance}/login?next=%2Frepo`)
    await page.getByLabel('Password').waitFor()
    assert.equal((await longhouse.instance('acme', '/api/health')).status, 200)
    assert.equal((await longhouse.instance('acme', '/api/jobs')).status, 401)
  })
}
