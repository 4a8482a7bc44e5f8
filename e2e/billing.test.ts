import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envOf, startProvider } from '../plugins/auth/openid.fixture.ts'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { startInbox } from '../src/testing/inbox.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'
import { startLonghouse } from './longhouse.fixture.ts'
import { startStripe } from './stripe-stand-in/stand-in.ts'

/** A folder for pictures of the pages, for whoever wants to look at them. */
const shots = process.env.SHOTS

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript'
  test(`an owner tries, pays, fails to pay, comes back and cancels, ${how}`, { skip: noBrowser }, async t => {
    const [provider, stripe, inbox] = await Promise.all([startProvider(t), startStripe(t), startInbox(t)])
    provider.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
    const mail = { SMTP_URL: inbox.url, SMTP_FROM: 'hello@example.com' }
    const env = { ...envOf(provider), ...stripe.env, ...mail }
    const longhouse = await startLonghouse(t, { driver: 'process', env })
    const control = `http://control.localhost:${longhouse.port}`
    provider.allow(`${control}/auth/google/callback`)
    const { page, complaints } = await openBrowser(t, { javaScript })
    const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
    const shot = (name: string) =>
      shots && javaScript ? page.screenshot({ path: `${shots}/${name}.png`, fullPage: true }) : null
    const tell = () =>
      stripe.deliver((body, headers) =>
        ask({
          port: longhouse.port,
          host: 'control.localhost',
          method: 'POST',
          path: '/webhooks/stripe',
          body,
          headers,
        }),
      )
    /** The page is loaded again until it says so. */
    const planSays = (words: RegExp) =>
      eventually(`the plan says ${words}`, async () => {
        await page.goto(`${control}/billing`)
        return words.test(await page.locator('main').innerText())
      })
    const letter = (subject: RegExp) =>
      eventually(`a letter: ${subject}`, () => inbox.mails.some(({ text }) => subject.test(text)), 90_000)

    await page.goto(control)
    await press('Sign in with Example')
    await press('Continue as ada')
    await page.goto(`${control}/billing`)
    await page.getByText('No plan yet').waitFor()
    await page.goto(`${control}/new`)
    await page.getByLabel('Name').fill('paytest')
    await press('Make my instance')
    await page.locator('code.secret').waitFor()
    await planSays(/You are trying it.*What happens if nothing is paid/s)
    await shot('trial')
    await letter(/Subject: paytest is ready/)

    // The browser holds `form-action` against where the form leads in the end: Stripe must be allowed.
    await page.getByRole('button', { name: 'Choose Basic' }).click()
    await page.getByRole('heading', { name: 'Pay' }).waitFor()
    await press('Back')
    await page.getByText('You are trying it').waitFor()
    await page.getByRole('button', { name: 'Choose Basic' }).click()
    await press('Use a declined card')
    await page.getByText('The card was declined').waitFor()
    await press('Pay')
    // No webhook has come yet: coming back is enough.
    await page.getByText('Paid until').waitFor()
    assert.match(page.url(), /\/billing\?paid=1$/)
    await shot('paid')
    await tell()

    const [id] = [...stripe.state.subscriptions.values()]
      .filter(each => each.status === 'active')
      .map(each => each.id)
    assert.ok(id)
    stripe.state.renew(id, 'bad')
    await tell()
    await planSays(/A payment failed.*Your instance stops/s)
    await shot('grace')
    stripe.state.become(id, 'unpaid')
    await tell()
    await planSays(/Your instance is not paid for/)
    await shot('over')
    await eventually('the instance stops', async () => {
      await page.goto(`${control}/instances/paytest`)
      return /Stopped/.test(await page.locator('main').innerText())
    })
    await shot('stopped')

    await page.goto(`${control}/billing`)
    await press('Cards, invoices, cancel')
    await press('Pay what is open')
    await tell()
    await planSays(/Paid until/)
    await eventually('the instance runs', async () => {
      await page.goto(`${control}/instances/paytest`)
      return /Running/.test(await page.locator('main').innerText())
    })
    await page.goto(`${control}/billing`)
    await press('Cards, invoices, cancel')
    await press('Cancel plan')
    await tell()
    await planSays(/Ends\s/)
    stripe.state.become(id, 'canceled')
    await tell()
    await planSays(/Your subscription has ended.*Choose a plan/s)
    const elsewhere = stripe.env.STRIPE_API_BASE ?? ''
    assert.deepEqual(
      complaints.filter(each => !each.includes(elsewhere)),
      [],
    )
  })
}
