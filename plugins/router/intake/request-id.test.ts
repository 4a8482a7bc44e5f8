import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { startEdge } from '../edge.fixture.ts'
import { ask, route, startInstance, wire } from '../wire.fixture.ts'

async function start(t: TestContext, env: Record<string, string> = {}) {
  const edge = await startEdge(env)
  const instance = await startInstance('inst_a', (_, response) => {
    response.setHeader('X-Request-Id', 'its-own')
    response.end()
  })
  route(edge, 'a', instance)
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  const asked = () => instance.asked.at(-1) as IncomingMessage
  return { edge, asked }
}

test('each request has an id, for the instance, the client and every refusal; a client cannot choose it', async t => {
  const { edge, asked } = await start(t)
  const first = await ask(edge, 'a.localhost', { headers: { 'x-request-id': 'mine' } })
  const id = first.headers['x-request-id']
  assert.match(String(id), /^req_\w+-\w+$/)
  assert.equal(asked().headers['x-request-id'], id)
  const second = await ask(edge, 'a.localhost')
  assert.notEqual(second.headers['x-request-id'], id)
  for (const host of ['unknown.localhost', 'evil.example']) {
    const refused = await ask(edge, host)
    assert.match(String(refused.headers['x-request-id']), /^req_/)
    assert.equal(JSON.parse(refused.body).request_id, refused.headers['x-request-id'])
  }
  assert.match(await wire(edge, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n').ended(), /X-Request-Id: req_/)
})

test('a trusted proxy chooses the id, in a form that needs no escaping', async t => {
  const { edge, asked } = await start(t, { ROUTER_MODE: 'behind' })
  const good = await ask(edge, 'a.localhost', { headers: { 'x-request-id': '7f3a:be/01+x=' } })
  assert.equal(good.headers['x-request-id'], '7f3a:be/01+x=')
  assert.equal(asked().headers['x-request-id'], '7f3a:be/01+x=')
  for (const bad of ['<b>', 'a b', 'x'.repeat(129), '"']) {
    const reply = await ask(edge, 'a.localhost', { headers: { 'x-request-id': bad } })
    assert.match(String(reply.headers['x-request-id']), /^req_/)
  }
})

test('Forwarded says the same as X-Forwarded-…, whatever a client or a proxy wrote', async t => {
  const { edge, asked } = await start(t, { ROUTER_MODE: 'behind' })
  const forwarded = async (headers: Record<string, string>) => {
    await ask(edge, 'a.localhost:8080', { headers: { forwarded: 'for=6.6.6.6', ...headers } })
    return asked().headers.forwarded
  }
  assert.equal(
    await forwarded({ 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' }),
    'for=192.0.2.1;proto=https;host="a.localhost:8080"',
  )
  assert.equal(
    await forwarded({ 'x-forwarded-for': '2001:db8::1', 'x-forwarded-host': 'x";for=6.6.6.6' }),
    'for="[2001:db8::1]";proto=http',
  )
})
