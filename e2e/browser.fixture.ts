import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { eventually } from '../src/testing/eventually.ts'

const executablePath =
  process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** Why pages cannot be tried in a browser here; false when they can. */
export const noBrowser =
  executablePath || process.env.LONGHOUSE_DEMAND_ALL
    ? false
    : 'needs Chromium: apt install chromium, or CHROMIUM=<path of one>'

export interface Visit {
  page: Page
  context: BrowserContext
  /** What a careful visitor would complain of: errors in the console, refused content, requests to elsewhere. */
  complaints: string[]
  /** Bytes over the wire so far. */
  bytes(): Promise<number>
}

/** Opens a browser of its own; it closes after the test. */
export async function openBrowser(
  t: Pick<TestContext, 'after'>,
  options: { javaScript: boolean; width?: number; dark?: boolean },
): Promise<Visit> {
  if (!executablePath) throw new Error('Chromium is demanded and not installed')
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  t.after(() => browser.close())
  const context = await browser.newContext({
    javaScriptEnabled: options.javaScript,
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.dark ? 'dark' : 'light',
  })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const complaints: string[] = []
  const sizes: Promise<number>[] = []
  page.on('console', message => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('request', request => {
    const { hostname } = new URL(request.url())
    if (!hostname.endsWith('localhost')) complaints.push(`a request to ${request.url()}`)
  })
  page.on('requestfinished', request => {
    // A page that closes meanwhile takes the sizes along: nobody asks for them then, and nobody else catches it.
    const size = request.sizes().then(each => each.responseBodySize + each.responseHeadersSize)
    sizes.push(size.catch(() => 0))
  })
  return {
    page,
    context,
    complaints,
    bytes: async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
  }
}

/** Waits until the page says so: by itself with JavaScript, else by loading it again, as its meta element would. */
export async function says(page: Page, words: RegExp, javaScript: boolean): Promise<void> {
  if (javaScript) {
    await page.getByText(words).first().waitFor()
    return
  }
  await eventually(`the page says ${words}`, async () => {
    if (words.test(await page.locator('body').innerText())) return true
    await page.reload()
    return false
  })
}
