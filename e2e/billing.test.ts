import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import { noBrowser, openBrowser, says } from './browser.fixture.ts'
import { type LonghouseInDays, startLonghouseInDays } from './days.fixture.ts'

/** A folder for screenshots of the pages, if you want to look at them. */
const shots = process.env.SHOTS

/** A job that leaves something behind: a line a run. */
const diary = `import { appendFileSync } from 'node:fs'
import { jobRegistry } from 'longhouse/jobs'

jobRegistry.register({
  id: 'diary',
  cron: '0 0 1 1 *',
  func: async () => appendFileSync('data/diary.txt', 'Dear diary\\n'),
})
`

/** A person with a browser who goes through all of it. */
async function openOwner(t: TestContext, longhouse: LonghouseInDays, javaScript: boolean) {
  const name = javaScript ? 'ada' : 'grace'
  const email = `${name}@example.com`
  longhouse.provider.people.set(name, { email, email_verified: true, name })
  const { page, complaints } = await openBrowser(t, { javaScript })
  const control = `http://control.localhost:${longhouse.port}`
  const address = `http://${name}-box.localhost:${longhouse.port}/`
  const volume = join(longhouse.dataRoot, `${name}-box`)
  const { state } = longhouse.stripe
  const press = (button: string) => page.getByRole('button', { name: button, exact: true }).first().click()

  const owner = {
    ...{ name, email, page, complaints, address, volume, javaScript, press, password: '' },
    subdomain: `${name}-box`,
    shot: async (picture: string) => {
      if (shots) await page.screenshot({ path: `${shots}/${picture}-${name}.png`, fullPage: true })
    },
    /** Goes to a page, and signs in again if the session has ended. */
    visit: async (path: string) => {
      await page.goto(control + path)
      if (!page.url().includes('/sign-in')) return
      await press('Sign in with Example')
      // The provider remembers who is signed in there.
      const asks = page.getByRole('button', { name: `Continue as ${name}` })
      await asks
        .or(page.getByRole('button', { name: 'Sign out' }))
        .first()
        .waitFor()
      if (await asks.isVisible()) await asks.click()
      await page.waitForURL(control + path)
    },
    /** The page is loaded again until it says so. */
    sees: (path: string, words: RegExp) =>
      eventually(`${name} sees ${words} on ${path}`, async () => {
        await owner.visit(path)
        return words.test(await page.locator('main').innerText())
      }),
    seesPlan: (words: RegExp) => owner.sees('/billing', words),
    seesInstance: (words: RegExp) => owner.sees(`/instances/${name}-box`, words),
    /** What the job has written so far. */
    diary: () => readFileSync(join(volume, 'jobs/data/diary.txt'), 'utf8'),
    runsDiary: async (times: number) => {
      await press('Run now diary')
      await eventually(`run ${times} has written`, () => owner.diary() === 'Dear diary\n'.repeat(times))
      await eventually(`the page tells of ${times} runs`, async () => {
        await page.goto(`${address}jobs/diary`)
        return (await page.getByRole('row').filter({ hasText: 'Succeeded' }).count()) === times
      })
    },
    subscription: () => {
      const all = [...state.subscriptions.values()]
      const mine = all.filter(each => state.customer(each.customer).email === email)
      const [found] = mine.filter(({ status }) => status !== 'incomplete')
      assert.ok(found, `${name} has a subscription`)
      return found.id
    },
    subjects: async () => (await longhouse.emails(email)).map(({ subject }) => subject),
  }
  return owner
}
type Owner = Awaited<ReturnType<typeof openOwner>>

test('two owners, one with JavaScript and one without, go from trial to payment, failed payment, return and cancellation', {
  skip: noBrowser,
  // Months in two browsers take their time on a machine that has other things to do.
  timeout: 600_000,
}, async t => {
  const longhouse = await startLonghouseInDays(t)
  const { live, retain, tell, stripe } = longhouse
  const owners = await Promise.all([true, false].map(javaScript => openOwner(t, longhouse, javaScript)))
  const each = async (does: (owner: Owner) => Promise<unknown>) => void (await Promise.all(owners.map(does)))
  const newest = async (subject: RegExp) => {
    for (const owner of owners) {
      const last = (await owner.subjects()).at(-1) ?? ''
      assert.match(last, subject)
      assert.ok(last.includes(owner.subdomain), last)
    }
  }

  await t.test('the owner signs up, chooses a name and runs a job in a new instance', () =>
    each(async owner => {
      const { page, press, subdomain, volume, javaScript } = owner
      await owner.visit('/billing')
      await page.getByText('No plan yet').waitFor()
      await owner.visit('/new')
      await page.getByLabel('Name').fill(subdomain)
      await press('Create my instance')
      owner.password = (await page.locator('code.secret').innerText()).trim()
      await owner.seesPlan(/Free trial.*What happens if you do not choose a plan/s)
      await owner.shot('trial')
      await owner.seesInstance(/Running/)
      // Through single sign-on: no password is typed.
      await page.getByRole('link', { name: 'Open' }).click()
      await page.getByText('daily-digest').first().waitFor()
      assert.equal(page.url(), owner.address)
      writeFileSync(join(volume, 'jobs/manifest.ts'), diary)
      await says(page, /diary/, javaScript)
      await owner.runsDiary(1)
    }),
  )
  await newest(/ is ready$/)

  await t.test('the owner gets an email before the trial ends, and pays', async () => {
    await live(10)
    for (const owner of owners) assert.equal((await owner.subjects()).length, 1)
    await live(1)
    await newest(/^The trial of .* ends on /)
    await each(async owner => {
      const { page, press } = owner
      await owner.seesPlan(/Trial until/)
      // The browser holds `form-action` against where the form leads in the end: Stripe must be allowed.
      await press('Choose Basic')
      await page.getByRole('heading', { name: 'Pay' }).waitFor()
      await press('Back')
      await page.getByRole('heading', { name: 'Free trial' }).waitFor()
      await press('Choose Basic')
      await press('Use a declined card')
      await page.getByText('The card was declined').waitFor()
      await press('Pay')
      // No webhook has come yet: coming back is enough.
      await page.getByText('Paid until').waitFor()
      assert.match(page.url(), /\/billing\?paid=1$/)
      await owner.shot('paid')
    })
    await tell()
  })

  await t.test('the card fails: the instance runs for two more weeks, then stops', async () => {
    await live(30)
    for (const owner of owners) stripe.state.renew(owner.subscription(), 'bad')
    await tell()
    await each(async owner => {
      await owner.seesPlan(/A payment failed.*Your instance stops/s)
      await owner.shot('grace')
    })
    await newest(/^A payment for .* failed$/)
    for (const owner of owners) {
      const told = (await longhouse.emails(owner.email)).at(-1)?.words ?? ''
      assert.match(told, /: Your instance stops.*: Your instance is removed.*: Its data is deleted for good/s)
    }
    await live(13)
    await each(async owner => {
      await owner.seesPlan(/A payment failed/)
      await owner.seesInstance(/Running/)
    })
    await live(1)
    await each(async owner => {
      await owner.seesPlan(/The instance is not paid for/)
      await owner.shot('over')
      await owner.seesInstance(/Stopped.*This instance is suspended.*All data is kept/s)
      await owner.shot('stopped')
      const answer = await owner.page.goto(owner.address)
      assert.equal(answer?.status(), 503)
    })
    await newest(/ has stopped$/)
  })

  await t.test('the owner pays, and the instance is back with its history and files', async () => {
    await live(1)
    await each(async owner => {
      await owner.visit('/billing')
      await owner.press('Cards, invoices, cancel')
      await owner.press('Pay what is open')
      await owner.page.waitForURL(/\/billing/)
    })
    await tell()
    await each(async owner => {
      await owner.seesPlan(/Paid until/)
      await owner.seesInstance(/Running/)
      assert.equal(owner.diary(), 'Dear diary\n')
      // Signed in there still: its session is in the volume too.
      await owner.page.getByRole('link', { name: 'Open' }).click()
      await says(owner.page, /diary/, owner.javaScript)
      await owner.runsDiary(2)
    })
    await newest(/ is back$/)
  })

  await t.test(
    'the owner cancels, keeps the paid period, and loses no data before the announced day',
    async () => {
      await each(async owner => {
        await owner.visit('/billing')
        await owner.press('Cards, invoices, cancel')
        await owner.press('Cancel plan')
        await owner.page.waitForURL(/\/billing/)
      })
      await tell()
      await each(owner => owner.seesPlan(/Ends\s/))
      await live(14)
      await each(owner => owner.seesInstance(/Running/))
      await live(1)
      for (const owner of owners) stripe.state.become(owner.subscription(), 'canceled')
      await tell()
      await each(async owner => {
        await owner.seesPlan(/The subscription has ended.*Choose a plan/s)
        await owner.seesInstance(/Stopped.*The subscription has ended/s)
      })
      await newest(/ has stopped$/)
      await live(29)
      await each(owner => owner.seesInstance(/Stopped/))
      await live(2)
      await each(async owner => {
        await owner.seesInstance(/Removed.*Your data is kept.*will be deleted for good/s)
        await owner.shot('removed')
      })
      for (const owner of owners) assert.equal(owner.diary(), 'Dear diary\nDear diary\n')
    },
  )

  await t.test('the data is deleted on the announced day, and nothing remains', async () => {
    await retain(21)
    await newest(/ has stopped$/)
    await retain(2)
    await newest(/^The data of .* will be deleted on /)
    await retain(5)
    await each(owner => owner.seesInstance(/Your data is kept/))
    for (const owner of owners) assert.equal(owner.diary(), 'Dear diary\nDear diary\n')
    await retain(2)
    await eventually('the volumes are gone', () => owners.every(({ volume }) => !existsSync(volume)))
    await each(async owner => {
      await owner.sees('/instances', /No instance yet/)
      await owner.shot('gone')
      const answer = await owner.page.goto(owner.address)
      assert.equal(answer?.status(), 404)
    })
    assert.deepEqual(readdirSync(longhouse.dataRoot), ['.control'])
  })

  for (const owner of owners) {
    const told = await longhouse.emails(owner.email)
    assert.deepEqual(
      told.map(({ subject }) => subject.replace(owner.subdomain, 'it').replace(/\d.*/, 'a day')),
      [
        'it is ready',
        'The trial of it ends on a day',
        'A payment for it failed',
        'it has stopped',
        'it is back',
        'it has stopped',
        'The data of it will be deleted on a day',
        'The data of it will be deleted on a day',
      ],
    )
    for (const { words } of told) assert.doesNotMatch(words, new RegExp(`password|${owner.password}`, 'i'))
    const elsewhere = stripe.env.STRIPE_API_BASE ?? ''
    const complaints = owner.complaints.filter(said => !said.includes(elsewhere) && !/\b503\b/.test(said))
    assert.deepEqual(complaints, [])
  }
})
