import { existsSync } from 'node:fs'
import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { eventually } from '../src/testing/eventually.ts'
import { silenceNetworkNews } from './network-news.fixture.ts'

/** The headless shell first: it takes half of the processor time of a whole Chromium, and shows the same pages. */
const installed = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
const executablePath =
  process.env.CHROMIUM ?? installed.map(program => `/usr/bin/${program}`).find(existsSync)

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

let started: Promise<Browser> | undefined

/** Starts the one browser of a test file; it closes after the last test. */
function browser(): Promise<Browser> {
  if (!executablePath) throw new Error('Chromium is demanded and not installed')
  if (started) return started
  silenceNetworkNews()
  started = chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A process for each site that a page leads to is most of what a short visit costs.
      '--renderer-process-limit=1',
    ],
  })
  return started
}
after(async () => (await started)?.close())

/** Opens a browser profile of its own, with a page in it; both close after the test. */
export async function openBrowser(
  t: Pick<TestContext, 'after'>,
  options: { javaScript: boolean; width?: number; dark?: boolean },
): Promise<Visit> {
  const context = await (await browser()).newContext({
    javaScriptEnabled: options.javaScript,
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.dark ? 'dark' : 'light',
  })
  t.after(() => context.close())
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
    // A page that closes meanwhile rejects the measurement, which then has no caller to catch it.
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

/** Between loads of a page: to load it is work for three processes, and what it waits for is done by one of them. */
export const reloadMs = 150

/** Waits until the page says so: by itself with JavaScript, else by loading it again, as its meta element would. */
export async function says(page: Page, words: RegExp, javaScript: boolean): Promise<void> {
  if (javaScript) {
    await page.getByText(words).first().waitFor()
    return
  }
  await eventually(
    `the page says ${words}`,
    async () => {
      if (words.test(await page.locator('body').innerText())) return true
      await page.reload()
      return false
    },
    { pauseMs: reloadMs },
  )
}
