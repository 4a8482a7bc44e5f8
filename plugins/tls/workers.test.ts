import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, it } from 'node:test'
import { ask, type Instance, route, startInstance } from '../router/wire.fixture.ts'
import { ask2, type SecureEdge, session, startSecureEdge } from './secure-edge.fixture.ts'

let edge: SecureEdge
let echo: Instance

before(async () => {
  edge = await startSecureEdge({ ROUTER_WORKERS: '1' })
  echo = await startInstance('inst_echo', (request, response) => {
    const { headers } = request
    void text(request).then(body => response.end(`${headers['x-forwarded-proto']} ${headers.host} ${body}`))
  })
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

it('serves instances and the pages over HTTP/2 from workers, and redirects HTTP', async () => {
  const client = session(edge, 'echo.example.test')
  const reply = await ask2(client, { ':method': 'POST', ':authority': 'echo.example.test' }, 'a body')
  assert.equal(reply.body, 'https echo.example.test a body')
  const pages = await ask2(client, { ':authority': 'control.example.test' })
  assert.equal(pages.body, 'the control plane')
  const posted = await ask2(
    client,
    { ':method': 'POST', ':authority': 'control.example.test' },
    'to the pages',
  )
  assert.equal(posted.body, 'to the pages')
  client.close()
  const redirected = await ask(edge, 'echo.example.test', { path: '/a?b' })
  assert.equal(redirected.status, 308)
  assert.equal(redirected.headers.location, `https://echo.example.test:${edge.securePort}/a?b`)
  const health = await ask(edge, `127.0.0.1:${edge.port}`, { path: '/health' })
  assert.equal(health.body, '{"status":"ok"}')
})
