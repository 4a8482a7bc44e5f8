import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browser, postForm, startWeb } from '../web/web.fixture.ts'

const value = 'a value that no page may show'

test('secrets are set, listed without their values, replaced and removed', async t => {
  const { app, instance, signIn } = await startWeb(t)
  const Cookie = await signIn()
  const put = (name: string, body: unknown) =>
    app.request(`/api/secrets/${name}`, { method: 'PUT', body: JSON.stringify(body), headers: { Cookie } })
  const list = async () => (await app.request('/api/secrets', { headers: { Cookie } })).text()

  const stored = await put('API_TOKEN', { value })
  assert.equal(stored.status, 200)
  const { updated_at, ...rest } = (await stored.json()) as Record<string, unknown>
  assert.deepEqual(rest, { name: 'API_TOKEN', set: true, readable: true, wanted_by: [] })
  assert.match(String(updated_at), /^\d{4}-.*Z$/)
  assert.equal(instance.engine.secrets.reveal(['API_TOKEN']).values.API_TOKEN, value)
  assert.match(await list(), /"name":"API_TOKEN"/)
  assert.ok(!(await list()).includes(value))

  for (const [name, body, path] of [
    ['lower', { value }, 'name'],
    ['9A', { value }, 'name'],
    ['GOOD', { value: '' }, 'value'],
    ['GOOD', {}, 'value'],
    ['GOOD', { value: 'x'.repeat(33 * 1024) }, 'value'],
  ] as const) {
    const refused = await put(name, body)
    assert.equal(refused.status, 422)
    const text = await refused.text()
    assert.ok(text.includes(`"path":"${path}"`), text)
  }
  assert.ok(!(await list()).includes('GOOD'))

  const remove = () => app.request('/api/secrets/API_TOKEN', { method: 'DELETE', headers: { Cookie } })
  assert.equal((await remove()).status, 204)
  assert.equal((await remove()).status, 404)
})

test('the page sets and removes secrets with forms, and never shows a value', async t => {
  const { app, instance, signIn } = await startWeb(t)
  const Cookie = await signIn()
  const page = async () => (await app.request('/secrets', { headers: { ...browser, Cookie } })).text()
  assert.match(await page(), /No secrets yet/)
  const key = '-----BEGIN KEY-----\r\nabcdef\r\n-----END KEY-----\r\n'
  const stored = await postForm(app, '/secrets', { name: 'PEM', value: key }, { Cookie })
  assert.equal(stored.status, 303)
  assert.equal(instance.engine.secrets.reveal(['PEM']).values.PEM, key.replaceAll('\r', ''))
  assert.match(await page(), />PEM</)
  assert.ok(!(await page()).includes('abcdef'))

  const wrong = await postForm(app, '/secrets', { name: 'pem', value: 'typed in' }, { Cookie })
  assert.equal(wrong.status, 422)
  const again = await wrong.text()
  assert.match(again, /value="pem"/)
  assert.match(again, /capital letters/)
  assert.ok(!again.includes('typed in'), 'a value is not sent back')

  assert.equal((await postForm(app, '/secrets/PEM/remove', {}, { Cookie })).status, 303)
  assert.match(await page(), /No secrets yet/)
  assert.equal((await postForm(app, '/secrets', { name: 'X', value: 'x' })).status, 303)
  assert.deepEqual(instance.engine.secrets.list([]), [], 'a stranger is sent to the sign-in page')
})
