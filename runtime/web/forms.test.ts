import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  foreignPages,
  isRefused,
  sendFromElsewhere,
  strayFields,
  walkForms,
} from '../../src/testing/forms.ts'
import { allRows } from '../../src/testing/rows.ts'
import { startWeb } from './web.fixture.ts'

const host = 'acme.example.com'

test('another site’s page can neither send our forms nor call a route that changes something', async t => {
  const { app, instance, signIn } = await startWeb(t)
  const headers = { Cookie: await signIn() }
  const start = ['/', '/login', '/settings/notices', '/settings/sign-in', '/tokens', '/secrets', '/repo']
  const { forms, pages } = await walkForms(app, { host, start, headers })
  const { forms: beforeSignIn } = await walkForms(app, { host, start, headers: {} })
  const rows = () =>
    allRows(join(instance.dir, 'longhouse.db'), { tables: /sqlite_|_migrations$|session/, columns: [] })
  const changing = app.routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS', 'ALL'].includes(method))
  const routeOf = (action: string) =>
    changing.find(({ method, path }) => {
      const pattern = new RegExp(`^${path.replace(/:[^/]+\{[^}]+\}/g, '.+').replace(/:[^/]+/g, '[^/]+')}$`)
      return method === 'POST' && pattern.test(action.split('?')[0] ?? '')
    })?.path

  const before = rows()
  const every = [...forms, ...beforeSignIn]
  const { routes, faults } = await sendFromElsewhere(app, every, { host, headers, routeOf })
  assert.deepEqual(faults, [])
  const found = new Set(routes)
  for (const { method, path } of changing) {
    const at = path.replace(/:[^/]+/g, 'daily-digest')
    const foreign = { ...headers, ...foreignPages[0] }
    assert.ok(await isRefused(app, { host, method, path: at, headers: foreign }), `${method} ${path}`)
  }
  assert.deepEqual(rows(), before)
  t.diagnostic(`${pages.length} pages; forms lead to ${[...found].join(', ')}`)
  assert.ok(found.size >= 8, [...found].join(', '))

  const own = { Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }
  // A run takes the parameters that its job asks for, whatever they are called.
  // An upload reads its form itself, as it comes in.
  const fixed = every.filter(({ action }) => !/\/run(\?|$)|^\/repo\/upload$/.test(action))
  assert.deepEqual(await strayFields(app, fixed, { host, headers: { ...headers, ...own } }), [])
  assert.deepEqual(rows(), before)
  for (const { page, action, fields } of forms.filter(each => !/run|cancel|replay/.test(each.action))) {
    const refused = await isRefused(app, { host, path: action, fields, headers: { ...headers, ...own } })
    assert.ok(!refused, `${page}: ${action} is refused to our own page`)
  }
})
