import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { eventually } from '../src/testing/eventually.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'
import { startLonghouseInDays } from './days.fixture.ts'

/** A folder for screenshots of the pages: wide and narrow, light and dark. */
const shots = process.env.SHOTS
/** So many pages take their time on a machine that has other things to do. */
const timeout = 600_000
const phone = { width: 360, height: 740 }
const email = 'augusta.ada.king.countess.of.lovelace@analytical-engines.example.com'
const name = 'the-first-analytical-engine-of-london'

/** Run in the page: what is beyond the right edge of the screen, and whether one can scroll there. */
const beyond = `{
  const { scrollWidth, clientWidth } = document.documentElement
  const out = [...document.querySelectorAll('main *')].filter(each => {
    const { right, width } = each.getBoundingClientRect()
    return width > 0 && right > clientWidth + 0.5 && !each.closest('.unseen, thead, pre, svg')
  })
  const words = out.map(each => each.outerHTML.slice(0, 120))
  scrollWidth > clientWidth ? ['it scrolls sideways', ...words] : words
}`

/** Looks at pages on a phone: none may scroll sideways, nor any of its words leave the screen. */
function looker(page: Page, origin: string, faults: string[]) {
  return async (state: string, ...paths: string[]) => {
    for (const path of paths) {
      if (path) await page.goto(origin + path)
      const told = await page.evaluate<string[]>(beyond)
      faults.push(...told.map(each => `${state}, ${path || page.url()}: ${each}`))
      if (shots) await picture(page, `${shots}/${state} ${path.replaceAll('/', '-')}`)
    }
  }
}

async function picture(page: Page, file: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of [1200, phone.width]) {
      await page.setViewportSize({ ...phone, width })
      await page.screenshot({ path: `${file} ${width} ${colorScheme}.png`, fullPage: true })
    }
  }
}

test('no page of accounts, instances, billing and mail scrolls sideways on a phone, in any state', {
  skip: noBrowser,
  timeout,
}, async t => {
  // No mail server listens there.
  const longhouse = await startLonghouseInDays(t, { SMTP_URL: 'smtp://127.0.0.1:1' })
  const { live, tell, stripe, provider, port } = longhouse
  provider.people.set('ada', { email, email_verified: true, name: 'Augusta Ada King, Countess of Lovelace' })
  const control = `http://control.localhost:${port}`
  const { page } = await openBrowser(t, { javaScript: false, ...phone })
  const operator = (await openBrowser(t, { javaScript: false, ...phone })).page
  const faults: string[] = []
  const look = looker(page, control, faults)
  const lookAsOperator = looker(operator, control, faults)
  const press = (label: string) => page.getByRole('button', { name: label, exact: true }).first().click()
  /** Sessions end while days go by. The provider asks again each time. */
  const signIn = async () => {
    await page.context().clearCookies()
    await page.goto(`${control}/instances`)
    await press('Sign in with Example')
    await press('Continue as ada')
    await page.waitForURL(`${control}/instances`)
  }
  const is = (words: RegExp) =>
    eventually(`it is ${words}`, async () => {
      await page.goto(`${control}/instances/${name}`)
      return words.test(await page.locator('.title-line').innerText())
    })

  await look('stranger', '/', '/sign-in', '/login', '/nowhere', '/auth/google/callback?code=x&state=y')
  await operator.setExtraHTTPHeaders({ Authorization: 'Bearer a-token-that-only-the-operator-has' })
  await lookAsOperator(
    'empty',
    '/admin/instances',
    '/admin/new',
    '/admin/billing',
    '/admin/billing/events',
    '/admin/mail',
  )

  await signIn()
  await look('empty', '/instances', '/billing', '/account')
  await page.goto(`${control}/new`)
  await page.getByLabel('Name').fill('www')
  await press('Create my instance')
  await look('name refused', '')
  await page.getByLabel('Name').fill(name)
  await press('Create my instance')
  await look('password', '')
  await is(/Running/)
  await look('trial', '/instances', `/instances/${name}`, '/new', '/billing', '/account', '/account/leave')

  await page.goto(`${control}/billing`)
  await press('Choose Basic')
  await press('Pay')
  await page.getByText('Paid until').waitFor()
  await look('paid', '/billing', '/new')
  const [id] = stripe.state.subscriptions.keys()
  assert.ok(id)
  stripe.state.renew(id, 'bad')
  await tell()
  await live(1)
  const everything = [
    ...['/admin/instances', `/admin/instances/${name}`],
    ...['/admin/billing', '/admin/billing/events', '/admin/mail'],
  ]
  await look('past due', '/billing')
  await lookAsOperator('past due', ...everything)
  stripe.mood = 'failing'
  stripe.state.renew(id, 'bad')
  await tell()
  await lookAsOperator('stripe away', '/admin/billing', '/admin/billing/events')
  stripe.mood = 'well'
  await live(14)
  await signIn()
  await is(/Stopped/)
  await look('over', '/instances', `/instances/${name}`, '/billing')
  await lookAsOperator('over', ...everything)
  await live(31)
  await signIn()
  await is(/Removed/)
  await look('removed', '/instances', `/instances/${name}`, '/billing')
  await lookAsOperator('removed', ...everything)
  assert.deepEqual(faults, [])
})

test('no page scrolls sideways on a phone where sign-in, payments and mail are not set up', {
  skip: noBrowser,
}, async t => {
  const nothing = ['SMTP_URL', 'SMTP_FROM', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'BILLING_PLANS']
  const client = ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET', 'OPENID_ISSUER']
  const env = Object.fromEntries([...nothing, ...client].map(variable => [variable, '']))
  const { port } = await startLonghouseInDays(t, env)
  const { page } = await openBrowser(t, { javaScript: false, ...phone })
  const faults: string[] = []
  const look = looker(page, `http://control.localhost:${port}`, faults)
  await look('nothing', '/login', '/sign-in')
  await page.setExtraHTTPHeaders({ Authorization: 'Bearer a-token-that-only-the-operator-has' })
  await look('nothing', '/admin/instances', '/admin/billing', '/admin/billing/events', '/admin/mail')
  assert.deepEqual(faults, [])
})
