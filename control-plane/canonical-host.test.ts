import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, route } from '../src/http/route.ts'
import { bootForTest, plain } from './boot.fixture.ts'

const browser = { Accept: 'text/html' }

async function town(t: Parameters<typeof bootForTest>[0], env: Record<string, string>) {
  const spec = { summary: 'A test', guard: open, answers: {} }
  const routes = ['/hello', '/sign-in', '/auth/google'].flatMap(path => [
    route({ ...spec, path, method: 'get', handle: c => c.text('here') }),
    route({ ...spec, path, method: 'post', handle: c => c.text('changed') }),
  ])
  const { app } = await bootForTest(t, [plain({ name: 'hall', setup: () => ({ routes }) })], { env })
  return (url: string, init: RequestInit = {}) => app.request(url, init)
}

test('a browser at the bare domain is redirected to the host that cookies are set for', async t => {
  const ask = await town(t, { LONGHOUSE_DOMAIN: 'example.com', LONGHOUSE_PUBLIC_URL: 'https://example.com' })
  const leads = async (url: string, init?: RequestInit) => {
    const response = await ask(url, init)
    assert.deepEqual(response.headers.getSetCookie(), [])
    return [response.status, response.headers.get('location')]
  }
  const control = 'https://control.example.com'
  assert.deepEqual(await leads('http://example.com/hello?x=1', { headers: browser }), [
    308,
    `${control}/hello?x=1`,
  ])
  assert.deepEqual(await leads('http://EXAMPLE.com:8080/nowhere', { headers: browser }), [
    308,
    `${control}/nowhere`,
  ])
  const post = { method: 'POST', headers: { ...browser, Origin: 'http://example.com' } }
  assert.deepEqual(await leads('http://example.com/auth/google', post), [303, `${control}/sign-in`])
  assert.deepEqual(await leads('http://example.com/hello', post), [303, `${control}/hello`])
  assert.deepEqual(await leads('http://example.com/auth/google', { method: 'POST' }), [
    303,
    `${control}/sign-in`,
  ])
  assert.deepEqual(await leads('http://example.com//evil.example/x', { headers: browser }), [
    308,
    `${control}//evil.example/x`,
  ])
})

test('the canonical host, and scripts at either host, are answered without a redirect', async t => {
  const ask = await town(t, { LONGHOUSE_DOMAIN: 'example.com', LONGHOUSE_PUBLIC_URL: 'https://example.com' })
  for (const [url, init] of [
    ['http://control.example.com/hello', { headers: browser }],
    ['http://control.example.com/sign-in', { headers: browser }],
    ['http://example.com/hello', {}],
    ['http://elsewhere.test/hello', { headers: browser }],
  ] as const) {
    assert.equal(await (await ask(url, init)).text(), 'here', url)
  }
  const post = await ask('http://control.example.com/auth/google', { method: 'POST', headers: browser })
  assert.equal(await post.text(), 'changed')
})

test('the redirect keeps the port on a laptop', async t => {
  const ask = await town(t, {})
  const response = await ask('http://localhost/hello', { headers: browser })
  assert.match(response.headers.get('location') ?? '', /^http:\/\/control\.localhost:\d+\/hello$/)
})
