import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, type Instance, route, startInstance, wire } from '../wire.fixture.ts'

for (const workers of ['0', '1'])
  describe(`which host goes where, with ${workers} workers`, () => {
    let edge: Edge
    let alpha: Instance

    before(async () => {
      edge = await startEdge({ LONGHOUSE_DOMAIN: 'box.example', ROUTER_WORKERS: workers })
      alpha = await startInstance('inst_alpha', (request, response) => response.end(`alpha ${request.url}`))
      route(edge, 'alpha', alpha)
    })
    after(async () => {
      await edge.stop()
      await alpha.close()
    })

    it('serves the control plane under control.<domain> and the bare domain', async () => {
      for (const host of ['control.box.example', 'box.example', 'Control.Box.Example:8080', 'box.example.']) {
        assert.equal((await ask(edge, host)).body, 'the control plane', host)
      }
    })

    it('finds an instance whatever the case, the port or a trailing dot', async () => {
      for (const host of [
        'alpha.box.example',
        'ALPHA.box.EXAMPLE',
        'alpha.box.example:443',
        'alpha.box.example.',
      ]) {
        const reply = await ask(edge, host, { path: '/a?b=c' })
        assert.equal(reply.body, 'alpha /a?b=c', host)
      }
    })

    it('answers 404 for names that no instance has', async () => {
      for (const host of [
        'beta.box.example',
        'x.alpha.box.example',
        'alpha_.box.example',
        'www.box.example',
      ]) {
        const reply = await ask(edge, host)
        assert.equal(reply.status, 404, host)
        assert.equal(reply.headers['content-type'], 'application/problem+json')
        assert.equal(JSON.parse(reply.body).type, 'urn:longhouse:problem:unknown-address')
      }
    })

    it('shows other hosts nothing of the control plane except its health', async () => {
      for (const host of ['127.0.0.1', `127.0.0.1:${edge.port}`, '[::1]:80', 'localhost', 'evil.example']) {
        assert.equal((await ask(edge, host)).status, 404, host)
        assert.equal((await ask(edge, host, { path: '/health/../' })).status, 404, host)
        assert.equal((await ask(edge, host, { path: '/health', method: 'POST' })).status, 404, host)
        assert.equal((await ask(edge, host, { path: '/health' })).body, '{"status":"ok"}', host)
      }
      assert.equal((await ask(edge, 'notbox.example')).status, 404)
      assert.equal((await ask(edge, 'control.box.example.evil.example')).status, 404)
    })

    it('refuses a host that is missing, repeated or malformed', async () => {
      const malformed = [
        'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
        'GET / HTTP/1.0\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: alpha.box.example\r\nHost: control.box.example\r\nConnection: close\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: alpha.box.example\r\nhost: alpha.box.example\r\nConnection: close\r\n\r\n',
        ...[
          '',
          '.box.example',
          'a..box.example',
          'control.box.example@evil',
          'alpha.box.example:80:80',
          'a b',
          'al/pha',
        ].map(host => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ]
      for (const text of malformed) {
        const answer = await wire(edge, text).ended()
        assert.match(answer, /^HTTP\/1\.1 400 /, text)
      }
      assert.equal((await ask(edge, 'alpha.box.example')).status, 200)
    })

    it('answers HTTP/1.0 that names its host', async () => {
      const answer = await wire(edge, 'GET /old HTTP/1.0\r\nHost: alpha.box.example\r\n\r\n').ended()
      assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nalpha \/old$/)
    })

    it('takes an absolute request target only when it names the same host', async () => {
      const absolute = (target: string, host: string) =>
        wire(edge, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`).ended()
      assert.match(await absolute('http://alpha.box.example/p?q', 'alpha.box.example'), /alpha \/p\?q$/)
      assert.match(await absolute('http://alpha.box.example?q', 'alpha.box.example'), /alpha \/\?q$/)
      assert.match(await absolute('http://control.box.example/', 'alpha.box.example'), /^HTTP\/1\.1 400 /)
      assert.match(await absolute('http://alpha.box.example/', 'control.box.example'), /^HTTP\/1\.1 400 /)
      assert.match(await absolute('ftp://alpha.box.example/', 'alpha.box.example'), /^HTTP\/1\.1 400 /)
    })

    it('is not an open proxy', async () => {
      const answer = await wire(
        edge,
        'CONNECT alpha.box.example:80 HTTP/1.1\r\nHost: alpha.box.example\r\n\r\n',
      ).ended()
      assert.match(answer, /^HTTP\/1\.1 405 /)
    })

    it('shows people a page with strict security headers', async () => {
      const reply = await ask(edge, 'nobody.box.example', { headers: { accept: 'text/html' } })
      assert.equal(reply.status, 404)
      assert.match(reply.headers['content-type'] ?? '', /^text\/html/)
      assert.match(
        String(reply.headers['content-security-policy']),
        /^default-src 'none'; style-src 'sha256-/,
      )
      assert.match(reply.body, /<h1>There is no instance at this address<\/h1>/)
      assert.doesNotMatch(reply.body, /http-equiv="refresh"/)
    })

    it('forgets an instance that is removed', async () => {
      route(edge, 'gone', alpha)
      assert.equal((await ask(edge, 'gone.box.example')).status, 200)
      edge.router.remove('gone')
      assert.equal((await ask(edge, 'gone.box.example')).status, 404)
    })
  })

describe('modes', () => {
  it('in mode labels, leaves instances to another proxy', async () => {
    const edge = await startEdge({ ROUTER_MODE: 'labels' })
    const alpha = await startInstance('inst_alpha')
    route(edge, 'alpha', alpha)
    const reply = await ask(edge, 'alpha.localhost')
    assert.equal(reply.status, 404)
    assert.match(reply.body, /another proxy routes/)
    assert.equal((await ask(edge, 'control.localhost')).body, 'the control plane')
    await edge.stop()
    await alpha.close()
  })

  it('names a mode that it does not know', async () => {
    await assert.rejects(startEdge({ ROUTER_MODE: 'both', ROUTER_RESPONSE_TIMEOUT: 'long' }), error => {
      assert.match(String((error as Error).message), /ROUTER_MODE: must be direct, behind or labels/)
      assert.match(String((error as Error).message), /ROUTER_RESPONSE_TIMEOUT: must be a duration/)
      return true
    })
  })
})
