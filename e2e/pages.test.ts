import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { noBrowser, openBrowser, says } from './browser.fixture.ts'
import { startLonghouse } from './longhouse.fixture.ts'

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('button', { name }).first().click()
}

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript'
  test(`an operator and an owner work on the pages, ${how}`, {
    skip: noBrowser,
    timeout: 600_000,
  }, async t => {
    const longhouse = await startLonghouse(t, { driver: 'process' })
    const { page, complaints, bytes } = await openBrowser(t, { javaScript })
    const control = `http://control.localhost:${longhouse.port}`
    const instance = `http://e2etest.localhost:${longhouse.port}`

    // The operator signs in.
    await page.goto(control)
    assert.ok((await bytes()) <= 60 * 1024, `the first page took ${await bytes()} bytes`)
    await page.getByLabel('Admin token').fill('not-the-admin-token')
    await press(page, 'Sign in')
    await says(page, /not the admin token/, javaScript)
    await page.getByLabel('Admin token').fill(longhouse.token)
    await press(page, 'Sign in')
    await says(page, /No instances yet/, javaScript)

    // Provisions an instance, and sees its password once.
    await page.getByRole('link', { name: /Provision the first one/ }).click()
    await page.getByLabel('Subdomain').fill('e2etest')
    await page.getByLabel('Owner’s email address').fill('test@example.com')
    await press(page, 'Provision')
    const password = (await page.locator('code.secret').innerText()).trim()
    assert.match(password, /^\w{5}(-\w{5}){3}$/)
    await page.getByRole('link', { name: 'Continue to the instance' }).click()
    await says(page, /Provision: done/, javaScript)
    await says(page, /Running/, javaScript)
    assert.equal(await page.getByText(password).count(), 0)

    // The owner logs in, runs the starter job and reads its log.
    await page.goto(instance)
    await page.getByLabel('Password').fill('wrong-password')
    await press(page, /Sign in|Log in/)
    await says(page, /password/i, javaScript)
    await page.getByLabel('Password').fill(password)
    await press(page, /Sign in|Log in/)
    await says(page, /daily-digest/, javaScript)
    await press(page, /Run now daily-digest/)
    await says(page, /Run of daily-digest/, javaScript)
    await says(page, /Succeeded/, javaScript)
    await says(page, /Good morning/, javaScript)
    await page.goto(instance)
    await page
      .getByRole('link', { name: /Succeeded/ })
      .first()
      .click()
    await says(page, /Good morning/, javaScript)

    // Saves a mistake: the page says where, and what keeps running; then fixes it.
    const file = join(longhouse.dataRoot, 'e2etest', 'jobs', 'manifest.ts')
    writeFileSync(file, "import { jobRegistry } from 'longhouse/jobs'\n\nconst broken = {\n")
    await page.goto(instance)
    await says(page, /manifest\.ts:\d+/, javaScript)
    await says(page, /daily-digest/, javaScript)
    writeFileSync(
      file,
      "import { jobRegistry } from 'longhouse/jobs'\njobRegistry.register({ id: 'mended', cron: '0 9 * * *', func: () => 'ok' })\n",
    )
    await says(page, /mended/, javaScript)

    // The operator restarts, stops, starts and removes it.
    await page.goto(`${control}/admin/instances/e2etest`)
    for (const [question, button, done] of [
      ['Restart…', 'Restart it', /Restart: done/],
      ['Stop…', 'Stop it', /Stop: done/],
      [null, 'Start', /Start: done/],
    ] as const) {
      if (question !== null) await page.getByText(question, { exact: true }).click()
      await page.getByRole('button', { name: button, exact: true }).click()
      await says(page, done, javaScript)
    }
    await page.getByText('Remove instance…').click()
    await press(page, 'Remove, and keep the volume')
    await says(page, /The volume is kept/, javaScript)
    assert.equal((await longhouse.instance('e2etest', '/api/health')).status, 404)
    await page.getByText('Delete data…').click()
    await page.getByLabel(/Type e2etest/).fill('e2etest')
    await press(page, 'Delete for good')
    await says(page, /No instances yet/, javaScript)

    assert.deepEqual(complaints, [])
  })
}
