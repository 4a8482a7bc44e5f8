import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, type Route } from '../src/http/route.ts'
import { definePlugin } from '../src/kernel/control-plane.ts'
import { bootForTest } from './boot.fixture.ts'
import { plugins } from './program.ts'

const token = 'a-token-of-this-test-that-is-long-enough'

/** Every handler answers as if it had done its work. Around the handler, all is as in the program. */
const everythingWorks = definePlugin({
  name: 'everything-works',
  setup: () => ({
    hooks: {
      'around-route': (route: Route): Route =>
        route.method === 'get'
          ? route
          : {
              method: route.method,
              path: route.path,
              summary: route.summary,
              answers: route.answers,
              ...(route.audit && { audit: route.audit }),
              guard: open,
              rawBody: true,
              handle: c => {
                c.set('principal', { kind: 'operator', id: 'op_1', name: 'Grace' })
                return c.text('done', 202)
              },
            },
    },
  }),
})

test('whatever route changes something makes an entry, unless it says why not', async t => {
  const { app, routes } = await bootForTest(t, [everythingWorks, ...plugins], {
    env: { PROVISIONER_DRIVER: 'process', ADMIN_TOKEN: token, SMTP_URL: '', SMTP_FROM: '' },
  })
  const newest = async () => {
    const answer = await app.request('http://control.localhost/admin/audit?limit=1', {
      headers: { Authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 200)
    const { entries } = (await answer.json()) as {
      entries: { seq: number; action: string; target: string }[]
    }
    return entries[0] ?? { seq: 0, action: '', target: '' }
  }
  const changing = routes.filter(({ method }) => method !== 'get')
  assert.ok(changing.length > 35, `${changing.length} routes were found`)
  for (const { method, path, audit } of changing) {
    const before = await newest()
    const answer = await app.request(`http://control.localhost${path.replaceAll(/\{\w+\}/g, 'acme')}`, {
      method: method.toUpperCase(),
    })
    assert.equal(answer.status, 202, `${method} ${path}`)
    const after = await newest()
    if (typeof audit === 'object') {
      assert.ok(audit.none.length > 20, `${method} ${path} says why it is not recorded`)
      assert.equal(after.seq, before.seq)
      continue
    }
    assert.equal(after.seq, before.seq + 1, `${method} ${path}`)
    assert.equal(after.action, `${method.toUpperCase()} ${path}`)
    if (path.includes('{')) assert.match(after.target, /acme/)
  }
})
