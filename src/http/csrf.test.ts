import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appForTest } from '../testing/app.ts'
import { open, route } from './route.ts'

let changes = 0
const spec = { path: '/change', summary: 'Changes', guard: open, answers: {} }
const routes = [
  route({ ...spec, method: 'post', handle: c => c.text(String(++changes)) }),
  route({ ...spec, method: 'delete', handle: c => c.text(String(++changes)) }),
  route({ ...spec, method: 'get', handle: c => c.text('as it was') }),
]
const app = appForTest(routes)

const host = { Host: 'control.example.com' }

async function ask(headers: Record<string, string>, method = 'POST'): Promise<number> {
  const before = changes
  const { status } = await app.request('/change', { method, headers: { ...host, ...headers } })
  assert.equal(changes - before, status === 200 && method !== 'GET' ? 1 : 0)
  return status
}

test('our own pages and programs other than browsers may change things', async () => {
  const ours: Record<string, string>[] = [
    {},
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
    { 'Sec-Fetch-Site': 'none' },
    { Origin: 'https://control.example.com' },
    { Origin: 'http://control.example.com' },
    { Origin: 'http://control.example.com:8080', Host: 'control.example.com:8080' },
    { Origin: 'http://control.example.com', Host: 'Control.Example.com:80' },
  ]
  for (const headers of ours) assert.equal(await ask(headers), 200, JSON.stringify(headers))
})

test('pages of other sites may not change things, tenants on sibling subdomains included', async () => {
  const theirs: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'https://tenant.example.com' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://control.example.com' },
    { 'Sec-Fetch-Site': 'something-new' },
    { Origin: 'https://tenant.example.com' },
    { Origin: 'https://control.example.com.evil.example' },
    { Origin: 'http://control.example.com:9999' },
    { Origin: 'null' },
    { Origin: 'not an origin' },
    { Origin: 'https://' },
    { Origin: 'file://' },
    { Origin: 'https://evil.example', Host: '' },
  ]
  for (const headers of theirs) {
    for (const method of ['POST', 'DELETE']) {
      assert.equal(await ask(headers, method), 403, `${method} ${JSON.stringify(headers)}`)
    }
    assert.equal(await ask(headers, 'GET'), 200)
  }
})

test('a bearer token is exempt, because no page can make a browser send one; a Basic password is not', async () => {
  const other = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://dash.example' }
  assert.equal(await ask({ ...other, Authorization: 'Bearer x' }), 200)
  assert.equal(await ask({ ...other, Authorization: 'bearer x' }), 200)
  assert.equal(await ask({ ...other, Authorization: 'Basic eDp5' }), 403)
  assert.equal(await ask({ ...other, Authorization: '' }), 403)
})

test('a page at the public address is ours, whatever host the proxy in front passes on', async () => {
  const behind = appForTest(routes, { origins: () => ['https://control.example.com:8443'] })
  const post = async (headers: Record<string, string>) =>
    (
      await behind.request('/change', {
        method: 'POST',
        headers: { Host: 'control.example.com', ...headers },
      })
    ).status
  assert.equal(await post({ Origin: 'https://control.example.com:8443' }), 200)
  assert.equal(await post({ Origin: 'https://control.example.com:9443' }), 403)
  assert.equal(await post({ Origin: 'http://control.example.com:8443' }), 403)
  assert.equal(await post({ Origin: 'https://tenant.example.com:8443' }), 403)
  assert.equal(await post({ Origin: 'https://control.example.com:8443', 'Sec-Fetch-Site': 'same-site' }), 403)
})
