import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { backup } from '../plugins/backup/index.ts'
import { openShop } from '../plugins/billing/shop.fixture.ts'
import { domains } from '../plugins/domains/index.ts'
import { gate } from '../plugins/gate/index.ts'
import { operators } from '../plugins/operators/index.ts'
import { token } from '../plugins/provisioner/fleet.fixture.ts'
import { sso } from '../plugins/sso/index.ts'
import { eventually } from '../src/testing/eventually.ts'
import { memoryFolder } from '../src/testing/folder.ts'
import {
  foreignPages,
  isRefused,
  type RenderedForm,
  sendFromElsewhere,
  strayFields,
  walkForms,
} from '../src/testing/forms.ts'
import { unfitNames } from '../src/testing/names.ts'
import { allRows } from '../src/testing/rows.ts'

test('no other site’s page can send our forms or call a route that changes something', async t => {
  const root = memoryFolder(t)
  const shop = await openShop(t, {
    root,
    plugins: [backup, domains, gate, sso, operators],
    env: { HEALTH_TIMEOUT: '30s' },
  })
  const { app, routes } = shop.program
  const host = `control.localhost:${shop.port}`
  const [ada, bob, grace] = [await shop.owner('ada'), await shop.owner('bob'), await shop.owner('grace')]
  // One of each: that runs, that is removed, that is stopped, that waits for its owner; an event and an email that did not arrive.
  for (const [owner, name] of [
    [ada, 'acme'],
    [bob, 'brass'],
  ] as const) {
    await owner.call('POST', '/instances', { subdomain: name })
    await shop.reaches(owner, name, 'running')
  }
  await bob.call('POST', '/instances/brass/remove', {})
  await shop.reaches(bob, 'brass', 'deleted')
  const dora = await shop.owner('dora')
  await dora.call('POST', '/instances', { subdomain: 'delta' })
  await shop.reaches(dora, 'delta', 'running')
  await dora.call('POST', '/instances/delta/stop', {})
  await shop.reaches(dora, 'delta', 'stopped')
  await shop.browser().signIn('dora')
  const subscription = await shop.buy(ada)
  await shop.emails()
  shop.inbox.refuse = { code: 550, words: 'nobody here' }
  await shop.provision('coral', 'grace@example.com')
  Object.assign(shop.stripe, { mood: 'failing' })
  shop.stripe.state.renew(subscription, 'bad')
  await shop.deliverEvents()
  await shop.run('enforce')
  await eventually('an email has failed', async () => {
    await shop.program.runOnce('mail:send')
    const { body } = await shop.admin<{ messages: { status: string }[] }>('GET', '/admin/mail')
    return body.messages.some(({ status }) => status === 'failed')
  })

  const operator = shop.browser()
  assert.equal((await operator.visit('/login', { token })).status, 303)
  await operator.visit('/admin/operators', { name: 'Kim', email: 'kim@example.com', role: 'read' })
  const actors = { nobody: shop.browser(), ada, bob, dora, grace, operator }
  const rows = () =>
    allRows(join(root, '.control', 'longhouse.db'), {
      tables: /sqlite_|_migrations$|^billing_(events|customers)$|^auth_(account_)?sessions$/,
      columns: ['last_health_at', 'last_seen_at', 'retention_seen_at', 'status', 'status_reason'],
    })
  const unfit: string[] = []
  const walked: { who: string; headers: Record<string, string>; forms: RenderedForm[] }[] = []
  for (const [who, { cookies }] of Object.entries(actors)) {
    const headers = { Cookie: [...cookies].map(pair => pair.join('=')).join('; ') }
    const start = ['/', '/login', '/sign-in', '/instances', '/admin/instances', '/account', '/billing']
    const onPage = (page: string, html: string) =>
      unfit.push(...unfitNames(html).map(fault => `${who}, ${page}: ${fault}`))
    walked.push({ who, headers, forms: (await walkForms(app, { host, start, headers, onPage })).forms })
  }
  assert.deepEqual(unfit, [], 'the name of a control begins with what is to be seen on it')
  const patterns = routes.map(({ method, path }) => ({
    method,
    path,
    matches: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
  }))
  const routeOf = (action: string) =>
    patterns.find(({ method, matches }) => method === 'post' && matches.test(action.split('?')[0] ?? ''))
      ?.path

  const before = rows()
  const found = new Set<string>()
  for (const { who, headers, forms } of walked) {
    const { routes, faults } = await sendFromElsewhere(app, forms, { host, headers, routeOf })
    assert.deepEqual(faults, [], who)
    const own = { ...headers, Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }
    assert.deepEqual(await strayFields(app, forms, { host, headers: own }), [], who)
    for (const route of routes) found.add(route)
  }
  // What no form leads to, by its address alone.
  for (const { method, path } of patterns) {
    if (method === 'get') continue
    for (const { headers } of walked) {
      const foreign = { ...headers, ...foreignPages[0] }
      const at = path.replace(/\{[^}]+\}/g, 'acme')
      assert.ok(
        await isRefused(app, { host, method: method.toUpperCase(), path: at, headers: foreign }),
        `${method} ${path}`,
      )
    }
  }
  assert.deepEqual(rows(), before)
  const formless = patterns.filter(({ method, path }) => method !== 'get' && !found.has(path))
  t.diagnostic(
    `forms lead to ${found.size} routes; none leads to ${formless.map(each => `${each.method} ${each.path}`).join(', ')}`,
  )
  assert.ok(found.size >= 25, [...found].join(', '))

  // From our own pages each of them is taken, whatever comes of it; signing out last.
  const own = { Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }
  for (const { who, headers, forms } of walked) {
    const actions = forms.sort((a, b) => Number(a.action.includes('out')) - Number(b.action.includes('out')))
    for (const { page, action, fields } of actions) {
      const refused = await isRefused(app, { host, path: action, fields, headers: { ...headers, ...own } })
      assert.ok(!refused, `${who}, ${page}: ${action} is refused to our own page`)
    }
  }
})
