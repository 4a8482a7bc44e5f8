import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { day, openShop, type Shop } from '../shop.fixture.ts'

interface Overview {
  total: number
  accounts: { email: string; state: string; subdomains: string[]; error: string | null }[]
}
const list = async (shop: Shop, query = '') =>
  (await shop.admin<Overview>('GET', `/admin/billing${query}`)).body
const page = async (shop: Shop, query = '') =>
  String((await shop.admin('GET', `/admin/billing${query}`, { headers: { Accept: 'text/html' } })).body)

/** Accounts in their trials, as if so many people had signed up. */
function crowd(shop: Shop, size: number): void {
  const db = new Database(join(shop.root, '.control/longhouse.db'))
  const now = shop.clock.now()
  const account =
    db.prepare(`insert into auth_accounts (id, issuer, subject, email, created_at, last_sign_in_at)
    values (?, 'https://issuer.example', ?, ?, ?, ?)`)
  const trial = db.prepare('insert into billing_trials (account_id, started_at, ends_at) values (?, ?, ?)')
  db.transaction(() => {
    for (let index = 0; index < size; index++) {
      const name = `p${String(index).padStart(4, '0')}`
      account.run(`acct_${name}`, name, `${name}@example.com`, now, now)
      trial.run(`acct_${name}`, now, now + 5 * day + index)
    }
  })()
  db.close()
}

test('a thousand accounts are paged, those that need attention first, and can be searched', async t => {
  const shop = await openShop(t)
  const ada = await shop.owner('ada')
  const subscription = await shop.buy(ada)
  const eve = await shop.owner('eve')
  assert.equal((await eve.call('POST', '/instances', { subdomain: 'teahouse' })).status < 300, true)
  shop.stripe.state.renew(subscription, 'bad')
  await shop.deliverEvents()
  crowd(shop, 1000)

  const first = await list(shop)
  assert.deepEqual([first.total, first.accounts.length], [1002, 50])
  // A payment that failed, then the trials by when they end; eve's has longest to go.
  assert.deepEqual(
    [first.accounts[0]?.email, first.accounts[0]?.state, first.accounts[1]?.email],
    ['ada@example.com', 'grace', 'p0000@example.com'],
  )
  assert.deepEqual(
    (await list(shop, '?offset=1000')).accounts.map(({ email }) => email),
    ['p0999@example.com', 'eve@example.com'],
  )
  const html = await page(shop)
  assert.equal(html.match(/id="row-acct/g)?.length, 50)
  assert.match(html, /1–50 of 1002[\s\S]*/)
  assert.match(html, /href="\/admin\/billing\?offset=50"/)
  assert.match(await page(shop, '?offset=5000'), /No accounts on this page/)

  for (const words of ['EVE@', 'teaho']) {
    const { total, accounts } = await list(shop, `?search=${words}`)
    assert.deepEqual(
      [total, accounts[0]?.email, accounts[0]?.subdomains],
      [1, 'eve@example.com', ['teahouse']],
    )
    assert.match(await page(shop, `?search=${words}`), /href="\/admin\/instances\/teahouse"/)
  }
  assert.match(await page(shop, '?search=p09'), /href="\/admin\/billing\?search=p09&amp;offset=50"/)
  assert.match(await page(shop, '?search=nobody'), /No account has “nobody”/)

  for (const query of ['?offset=-1', '?offset=x', `?search=${'x'.repeat(201)}`]) {
    const { status, body } = await shop.admin<{ errors: { path: string }[] }>('GET', `/admin/billing${query}`)
    assert.deepEqual([status, body.errors[0]?.path], [422, query.slice(1, query.indexOf('='))], query)
  }
})

test('accounts that could not be read from Stripe come first', async t => {
  const shop = await openShop(t)
  for (const name of ['ada', 'bob']) await shop.buy(await shop.owner(name))
  assert.deepEqual(
    (await list(shop)).accounts.map(({ email }) => email),
    ['ada@example.com', 'bob@example.com'],
  )
  shop.stripe.mood = 'failing'
  const [, bob] = [...shop.stripe.state.customers.values()]
  shop.stripe.state.renew(
    [...shop.stripe.state.subscriptions.values()].find(each => each.customer === bob?.id)?.id ?? '',
    'bad',
  )
  await shop.deliverEvents()
  const { accounts } = await list(shop)
  assert.deepEqual(
    accounts.map(({ email }) => email),
    ['bob@example.com', 'ada@example.com'],
  )
  assert.match(accounts[0]?.error ?? '', /Sorry/)
  shop.clock.advance(16 * 60_000)
  assert.match(await page(shop), /Stripe events could not be processed/)
})
