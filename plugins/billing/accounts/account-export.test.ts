import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openShop } from '../shop.fixture.ts'

interface Exported {
  others: {
    billing: { trial: unknown; stripe_customers: string[]; subscriptions: { status: string }[] }
    mail: { subject: string; status: string }[]
  }
}

test('an owner exports what billing and mail store about them, and nothing of another’s', async t => {
  const shop = await openShop(t)
  const [ada, bob] = [await shop.owner('ada'), await shop.owner('bob')]
  const exportOf = async (who: typeof ada) =>
    (await who.call('GET', '/account/export')).json<Exported>().others
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.whenIdle('acme')
  await shop.buy(ada)
  await shop.run('enforce')
  await shop.emails()
  const mine = await exportOf(ada)
  assert.ok(mine.billing.trial)
  assert.match(mine.billing.stripe_customers[0] ?? '', /^cus_/)
  assert.deepEqual(
    mine.billing.subscriptions.map(each => each.status),
    ['active'],
  )
  assert.ok(mine.mail.length > 0)
  assert.deepEqual(await exportOf(bob), {
    billing: { trial: null, exemptions: [], stripe_customers: [], subscriptions: [] },
    mail: [],
  })
})
