import { chromium } from 'playwright-core'

/** The browser that Playwright would download, and which is not there. */
export async function run() {
  const browser = await chromium.launch()
  await browser.close()
}
