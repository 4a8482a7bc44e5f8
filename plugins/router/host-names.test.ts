import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from './edge.fixture.ts'
import { ask, type Instance, route, startInstance, wire } from './wire.fixture.ts'

describe('host names of customers', () => {
  let edge: Edge
  let alpha: Instance
  let beta: Instance

  before(async () => {
    edge = await startEdge({ LONGHOUSE_DOMAIN: 'box.example' })
    const echo = (id: string) =>
      startInstance(id, (request, response) =>
        response.end(`${id} ${request.headers.host} ${request.headers['x-forwarded-host']}`),
      )
    alpha = await echo('inst_alpha')
    beta = await echo('inst_beta')
    route(edge, 'alpha', alpha)
    route(edge, 'beta', beta)
  })
  after(async () => {
    await edge.stop()
    await alpha.close()
    await beta.close()
  })

  it('lead to the instance, which sees the host that the client sent', async () => {
    assert.equal((await ask(edge, 'jobs.acme.test')).status, 404)
    edge.router.setRule('alpha', 'hosts', ['jobs.acme.test', 'acme.test'])
    for (const host of [
      'jobs.acme.test',
      'acme.test',
      'JOBS.acme.TEST',
      'jobs.acme.test:8443',
      'acme.test.',
    ]) {
      const reply = await ask(edge, host, { headers: { 'X-Forwarded-Host': 'evil.test' } })
      assert.equal(reply.body, `inst_alpha ${host} ${host}`)
    }
    for (const host of [
      'x.acme.test',
      'acme.test.evil.test',
      'cme.test',
      '127.0.0.1',
      '[::1]:80',
      'acme.test..',
    ])
      assert.notEqual((await ask(edge, host)).status, 200, host)
    assert.equal(edge.router.subdomainOf('acme.test'), 'alpha')
    assert.equal(edge.router.subdomainOf('x.acme.test'), null)
  })

  it('belong to the last that named them, and lead nowhere once no one does', async () => {
    edge.router.setRule('alpha', 'hosts', ['moves.test', 'stays.test'])
    edge.router.setRule('beta', 'hosts', ['moves.test'])
    assert.match((await ask(edge, 'moves.test')).body, /^inst_beta/)
    edge.router.setRule('alpha', 'hosts', ['stays.test'])
    assert.match((await ask(edge, 'moves.test')).body, /^inst_beta/, 'who gave it up does not take it away')
    edge.router.setRule('beta', 'hosts', null)
    assert.equal((await ask(edge, 'moves.test')).status, 404)
    assert.equal(edge.router.subdomainOf('moves.test'), null)
    assert.match((await ask(edge, 'stays.test')).body, /^inst_alpha/)
  })

  it('may be named before there is an instance, and outlast its removal', async () => {
    edge.router.setRule('gamma', 'hosts', ['gamma.test'])
    assert.equal((await ask(edge, 'gamma.test')).status, 404)
    edge.router.set('gamma', { state: 'stopped', instanceId: alpha.id })
    assert.match((await ask(edge, 'gamma.test')).body, /instance-stopped/)
    route(edge, 'gamma', alpha)
    assert.equal((await ask(edge, 'gamma.test')).status, 200)
    edge.router.remove('gamma')
    assert.equal((await ask(edge, 'gamma.test')).status, 404)
    route(edge, 'gamma', alpha)
    assert.equal((await ask(edge, 'gamma.test')).status, 200)
  })

  it('never take the place of the site’s own', async () => {
    edge.router.setRule('alpha', 'hosts', ['control.box.example', 'box.example', 'beta.box.example'])
    assert.equal((await ask(edge, 'control.box.example')).body, 'the control plane')
    assert.equal((await ask(edge, 'box.example')).body, 'the control plane')
    assert.match((await ask(edge, 'beta.box.example')).body, /^inst_beta/)
  })

  it('must be the same in an absolute request target', async () => {
    edge.router.setRule('alpha', 'hosts', ['acme.test'])
    const absolute = (target: string) =>
      wire(edge, `GET ${target} HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n\r\n`).ended()
    assert.match(await absolute('http://acme.test/'), /inst_alpha acme\.test/)
    assert.match(await absolute('http://control.box.example/'), /^HTTP\/1\.1 400 /)
  })
})
