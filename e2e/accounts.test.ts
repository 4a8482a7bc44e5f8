import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envOf, startProvider } from '../plugins/auth/openid.fixture.ts'
import { noBrowser, openBrowser, says } from './browser.fixture.ts'
import { startLonghouse } from './longhouse.fixture.ts'

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript'
  test(`an owner signs up with a provider, ${how}`, { skip: noBrowser, timeout: 600_000 }, async t => {
    const provider = await startProvider(t)
    provider.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
    provider.people.set('bob', { email: 'bob@example.com', email_verified: false })
    const longhouse = await startLonghouse(t, { driver: 'process', env: envOf(provider) })
    const control = `http://control.localhost:${longhouse.port}`
    provider.allow(`${control}/auth/google/callback`)
    const { page, context, complaints } = await openBrowser(t, { javaScript })
    const press = (name: string) => page.getByRole('button', { name }).first().click()

    // The browser holds `form-action` against where the form leads in the end: the provider must be allowed.
    await page.goto(control)
    await press('Sign in with Example')
    await page.getByText('The provider').waitFor()
    await press('Cancel')
    await page.getByText('The sign-in was cancelled').waitFor()

    await page.getByRole('link', { name: 'Back to the start page' }).click()
    await press('Sign in with Example')
    await press('Continue as bob')
    await page.getByText('Your email address is not verified').waitFor()

    // The provider remembers who is signed in there.
    await context.clearCookies()
    await page.goto(`${control}/account`)
    await press('Sign in with Example')
    await press('Continue as ada')
    await page.getByText('Ada Lovelace').waitFor()
    assert.equal(page.url(), `${control}/account`)
    const cookies = await context.cookies(control)
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })),
      [{ name: 'longhouse_account', httpOnly: true, sameSite: 'Lax' }],
    )

    // Chooses a name, which is checked while it is typed where that is possible.
    await page.goto(`${control}/`)
    await page.getByRole('link', { name: 'Choose a name' }).click()
    assert.equal(await page.getByLabel('Name').inputValue(), 'ada')
    await page.getByLabel('Name').fill('www')
    if (javaScript)
      await page.getByText('“www” is reserved').or(page.getByText('"www" is reserved')).waitFor()
    await press('Create my instance')
    await page.getByText('is reserved').first().waitFor()
    await page.getByLabel('Name').fill('e2etest')
    if (javaScript) await page.getByText('e2etest.localhost is available').waitFor()
    await press('Create my instance')
    const password = (await page.locator('code.secret').innerText()).trim()
    await page.getByRole('link', { name: /Continue to the instance/ }).click()
    await says(page, /Running/, javaScript)
    await page.goto(`http://e2etest.localhost:${longhouse.port}/`)
    await page.getByLabel('Password').fill(password)
    await press('Sign in')
    await page.getByText('daily-digest').first().waitFor()
    await press('Sign out')

    // Opens it from the owner's page, without the password; what was used once opens nothing again.
    await page.goto(`${control}/instances/e2etest`)
    const arrivals: string[] = []
    page.on('request', request => {
      if (request.url().includes('token=')) arrivals.push(request.url())
    })
    await page.getByRole('link', { name: 'Open' }).click()
    await page.getByText('daily-digest').first().waitFor()
    assert.equal(page.url(), `http://e2etest.localhost:${longhouse.port}/`)
    assert.equal(arrivals.length, 1)
    await press('Sign out')
    await page.goto(arrivals[0] ?? '')
    await page.getByText('This browser did not ask for it').waitFor()
    // From the instance's own sign-in page, too, and on to where one was.
    await page.goto(`http://e2etest.localhost:${longhouse.port}/settings/sign-in`)
    await page.getByRole('link', { name: 'Sign in with your Longhouse account' }).click()
    await page.getByText('Turn off…').click()
    await press('Turn the password off')
    await page.getByText('The password is turned off').waitFor()
    await press('Turn on')
    await page.getByText('works even while the control plane is down').waitFor()

    // A token that is planted in another browser does nothing there.
    const victim = await openBrowser(t, { javaScript })
    await victim.page.goto(arrivals[0] ?? '')
    await victim.page.getByText('This browser did not ask for it').waitFor()
    await victim.page.goto(`http://e2etest.localhost:${longhouse.port}/`)
    await victim.page.getByLabel('Password').waitFor()

    // Stops it, removes it, and has it back.
    await page.goto(`${control}/instances/e2etest`)
    await press('Stop')
    await says(page, /Stopped/, javaScript)
    await press('Start')
    await says(page, /Running/, javaScript)
    await page.getByText('Remove instance…').click()
    await press('Remove it')
    await says(page, /Your data is kept/, javaScript)
    await says(page, /Removed/, javaScript)
    await press('Restore instance')
    await says(page, /Running/, javaScript)

    // Back and again: the callback was used.
    await page.goto(`${control}/auth/google/callback?code=x&state=y`)
    await page.getByText('This sign-in has expired').waitFor()

    await page.goto(control)
    await press('Sign out')
    await page.getByText('Scheduled TypeScript jobs').waitFor()
    await page.goto(`${control}/account`)
    assert.match(page.url(), /\/sign-in\?next=%2Faccount$/)
    assert.deepEqual(complaints, [])
  })
}
