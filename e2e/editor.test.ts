import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRuntime } from '../runtime/program.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'

const password = 'correct horse battery'

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript'
  test(`a person edits the jobs in a browser, ${how}`, { skip: noBrowser, timeout: 600_000 }, async t => {
    const dir = temporaryFolder(t)
    const runtime = await startRuntime({
      env: { LONGHOUSE_DATA_DIR: dir, LONGHOUSE_PORT: '0', LONGHOUSE_PASSWORD: password },
      log: silentLog,
      clock: systemClock,
      spawned: false,
    })
    t.after(() => runtime.stop())
    await runtime.started
    const { page, complaints } = await openBrowser(t, { javaScript })
    const manifest = join(dir, 'jobs/manifest.ts')
    const write = async (text: string) => {
      if (!javaScript) return page.getByLabel('Content of manifest.ts').fill(text)
      await page.locator('.cm-content').click()
      await page.keyboard.press('Control+A')
      await page.evaluate(`{
        const clipboardData = new DataTransfer()
        clipboardData.setData('text/plain', ${JSON.stringify(text)})
        const content = document.querySelector('.editor').shadowRoot.querySelector('.cm-content')
        content.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      }`)
      await page.keyboard.press('Control+End')
      await page.keyboard.type('// typed')
    }

    await page.goto(`http://localhost:${runtime.port}/repo/files`)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: /Sign in|Log in/ }).click()
    await page.getByRole('link', { name: 'manifest.ts' }).click()
    await page.locator(javaScript ? '.cm-content' : 'textarea.source').waitFor()
    const before = readFileSync(manifest, 'utf8')
    assert.equal(await page.locator('textarea.source').inputValue(), before)
    assert.equal(await page.locator('textarea.source').isVisible(), !javaScript)

    await write(`${before}\nnope()\n`)
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByText('This does not load').waitFor()
    await page.getByText('ReferenceError: nope is not defined').waitFor()
    assert.equal(readFileSync(manifest, 'utf8'), before)

    const after = before.replace("cron: '0 8 * * *'", "cron: '30 9 * * *'")
    assert.notEqual(after, before)
    await write(after)
    await page.getByLabel('Commit message').fill('The digest comes later')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved and live').waitFor()
    assert.equal(readFileSync(manifest, 'utf8'), javaScript ? `${after}// typed` : after)

    await page.goto(`http://localhost:${runtime.port}/repo/history`)
    await page.getByRole('link', { name: 'The digest comes later' }).click()
    await page.locator('.diff .plus', { hasText: '30 9 * * *' }).waitFor()
    assert.deepEqual(complaints, [])
  })
}

test('the editor keeps the text after a check and after a failed save', {
  skip: noBrowser,
  timeout: 600_000,
}, async t => {
  const dir = temporaryFolder(t)
  const runtime = await startRuntime({
    env: { LONGHOUSE_DATA_DIR: dir, LONGHOUSE_PORT: '0', LONGHOUSE_PASSWORD: password },
    log: silentLog,
    clock: systemClock,
    spawned: false,
  })
  t.after(() => runtime.stop())
  await runtime.started
  const { page, context, complaints } = await openBrowser(t, { javaScript: true })
  const asked: string[] = []
  page.on('dialog', dialog => {
    asked.push(dialog.type())
    void dialog.dismiss()
  })
  const address = `http://localhost:${runtime.port}/repo/files/manifest.ts`
  const manifest = join(dir, 'jobs/manifest.ts')
  const signIn = async () => {
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: /Sign in|Log in/ }).click()
  }
  await page.goto(address)
  await signIn()
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('// one')
  await page.keyboard.press('Control+Enter')
  await page.getByText('This loads').waitFor()

  // Not a change since the page came, and yet not saved.
  await page.getByLabel('Commit message').click()
  await page.getByRole('link', { name: 'Runs' }).click({ noWaitAfter: true })
  await eventually('leaving is asked about', () => asked.length > 0)
  assert.deepEqual(asked, ['beforeunload'])
  assert.equal(page.url(), address)

  // The keys go on where they were.
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('This loads').waitFor()
  await page.keyboard.type(' two')
  await page.keyboard.press('Control+s')
  await page.getByText('Saved and live').waitFor()
  assert.match(readFileSync(manifest, 'utf8'), /\/\/ one two$/)

  // The words for a change that does not load yet are those of the commit that it becomes a part of.
  await page.keyboard.type('\nnope()')
  await page.getByLabel('Commit message').fill('Reasons')
  await page.keyboard.press('Control+s')
  await page.getByText('The last change did not go live').waitFor()
  assert.equal(await page.getByLabel('Commit message').inputValue(), 'Reasons')
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  for (let i = 0; i < 6; i++) await page.keyboard.press('Backspace')
  await page.keyboard.type('// three')
  await page.keyboard.press('Control+s')
  await page.getByText('Saved and live').waitFor()
  assert.equal(await page.getByLabel('Commit message').inputValue(), '')

  // A session that ends in between.
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(' four')
  await context.clearCookies()
  await page.keyboard.press('Control+s')
  await signIn()
  await page.getByRole('heading', { name: 'Jobs' }).first().waitFor()
  await page.goto(address)
  await page.locator('.cm-content').waitFor()
  await page.keyboard.press('Control+s')
  await page.getByText('Saved and live').waitFor()
  assert.match(readFileSync(manifest, 'utf8'), /\/\/ three four$/)
  await page.goto(`http://localhost:${runtime.port}/repo/history`)
  await page.getByRole('link', { name: 'Reasons' }).waitFor()
  assert.deepEqual(complaints, [])
})
