import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemDocument } from '../src/http/problem.ts'
import { roles } from '../src/http/route.ts'
import { bootForTest } from './boot.fixture.ts'
import { plugins } from './program.ts'

const adminToken = 'a-token-of-this-test-that-is-long-enough'

test('every operator’s route declares the role that it needs, and refuses lesser ones by its name', async t => {
  const { app, routes } = await bootForTest(t, plugins, {
    env: { PROVISIONER_DRIVER: 'process', ADMIN_TOKEN: adminToken },
  })
  const ask = (method: string, path: string, token: string, body?: object) =>
    app.request(`http://control.localhost${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    })
  const secrets = new Map<string, string>()
  for (const role of roles) {
    const made = await ask('POST', '/admin/tokens', adminToken, { name: role, role })
    secrets.set(role, ((await made.json()) as { secret: string }).secret)
  }
  const operators = routes.filter(({ guard }) => guard.schemes.includes('bearer'))
  assert.ok(operators.length > 40, `${operators.length} routes were found`)
  assert.deepEqual(
    operators.filter(({ role }) => role === undefined).map(({ method, path }) => `${method} ${path}`),
    [],
    'say which role they need: `role` beside `guard`',
  )
  for (const { method, path, role: needed = 'own' } of operators) {
    const address = path.replaceAll(/\{\w+\}/g, 'nothing-here')
    for (const role of roles) {
      // Unknown parameters are refused, so that nothing happens where the role suffices.
      const answer = await ask(method.toUpperCase(), `${address}?nonsense=1`, secrets.get(role) ?? '')
      const what = `${role}: ${method} ${path}`
      if (roles.indexOf(role) >= roles.indexOf(needed)) {
        assert.ok(![401, 403].includes(answer.status), `${what}: ${answer.status}`)
        continue
      }
      assert.equal(answer.status, 403, what)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      const { type, detail } = (await answer.json()) as ProblemDocument
      assert.equal(type, 'urn:longhouse:problem:role-needed')
      assert.match(detail, new RegExp(`needs the role "${needed}"`), what)
    }
    const stranger = await ask(method.toUpperCase(), address, 'lho_a-token-of-a-stranger')
    assert.ok([401, 429].includes(stranger.status), `a stranger: ${method} ${path}`)
  }
})
