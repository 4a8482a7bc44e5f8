import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alerts } from '../plugins/alerts/index.ts'
import { openOffice } from '../plugins/operators/operators.fixture.ts'
import { overview } from '../plugins/overview/index.ts'
import { walkForms } from '../src/testing/forms.ts'

test('no page shows an operator a form or a link that their role refuses', async t => {
  const office = await openOffice(t, { plugins: [overview, alerts] })
  const host = `control.localhost:${office.port}`
  await office.provision('acme')
  await office.provision('brass')
  await office.admin('DELETE', '/admin/instances/brass', { wait: 60 })
  const counts = new Map<string, number>()
  for (const role of ['read', 'operate', 'own'] as const) {
    const { browser } = await office.join(role, role)
    const headers = { Cookie: [...browser.cookies].map(pair => pair.join('=')).join('; ') }
    const start = ['/admin/overview', '/admin/instances', '/admin/me', '/admin/alerts']
    const { forms, pages } = await walkForms(office.program.app, { host, start, headers })
    assert.ok(pages.length > 5, `${role}: ${pages.join(', ')}`)
    for (const page of pages) {
      const reply = await browser.call('GET', page)
      assert.notEqual(reply.status, 403, `${role}: a link leads to ${page}`)
    }
    for (const { page, action } of forms) {
      if (action === '/logout') continue
      // Unknown fields are refused, so that nothing happens where the role suffices.
      const reply = await browser.call('POST', action, { nonsense: 1 }, { Origin: `http://${host}` })
      assert.ok(
        ![403, 401].includes(reply.status),
        `${role}: ${page} has a form for ${action}: ${reply.text}`,
      )
    }
    counts.set(role, new Set(forms.map(({ action }) => action)).size)
  }
  const [read = 0, operate = 0, own = 0] = counts.values()
  assert.ok(read < operate && operate < own, JSON.stringify([...counts]))
})
