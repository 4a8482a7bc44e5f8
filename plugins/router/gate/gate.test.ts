import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { signTicket, type Ticket, ticketKeys } from '../../../src/sign-in/ticket.ts'
import { setClock } from '../../../src/testing/clock.ts'
import type { RouteGate } from '../contract.ts'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, eventually, type Instance, route, startInstance, wire } from '../wire.fixture.ts'

const { signs, verifies } = ticketKeys(Buffer.alloc(32, 7))
const page = { accept: 'text/html' }
const rule: RouteGate = {
  publicPaths: ['/hooks', '/badges'],
  sessions: ['sess_ada'],
  generation: 1,
  verifies,
}

describe('a gate', () => {
  const clock = setClock()
  let edge: Edge
  let alpha: Instance
  let seen: (string | undefined)[] = []

  before(async () => {
    edge = await startEdge({ LONGHOUSE_DOMAIN: 'box.example' }, clock)
    alpha = await startInstance('inst_alpha', (request, response) => {
      seen.push(request.headers.cookie)
      response.setHeader('Set-Cookie', ['longhouse_gate=x', '__Host-longhouse_gate=x', '__Host-own=1'])
      if (request.url === '/events')
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
      else response.end(`alpha ${request.url}`)
    })
    alpha.server.on('upgrade', (_, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nLonghouse-Instance: inst_alpha\r\n\r\n',
      )
      socket
        .on('error', () => undefined)
        .on('end', () => socket.end())
        .resume()
    })
    route(edge, 'alpha', alpha)
    edge.router.setRule('alpha', 'hosts', ['jobs.acme.test'])
  })
  beforeEach(() => {
    seen = []
    edge.router.setRule('alpha', 'gate', rule)
  })
  afterEach(() => edge.router.setRule('alpha', 'gate', null))
  after(async () => {
    await edge.stop()
    await alpha.close()
  })

  const host = 'alpha.box.example'
  /** What a browser keeps of an answer. */
  const cookieIn = (reply: { headers: { 'set-cookie'?: string[] | undefined } }) =>
    reply.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  /** Begins in a browser: its secret, and what the control plane is asked. */
  const begin = async (at = host, path = '/') => {
    const reply = await ask(edge, at, { path, headers: page })
    assert.equal(reply.status, 303)
    const there = new URL(reply.headers.location ?? '')
    return { there, cookie: cookieIn(reply), state: there.searchParams.get('state') ?? '' }
  }
  const sign = (state: string, change: Partial<Ticket> = {}, by = signs) =>
    signTicket(by, {
      ...{ host, session: 'sess_ada', generation: 1, state, path: '/where?x=1' },
      ...{ expiresAt: clock.now() + 60_000, nonce: `${Math.random()}`, ...change },
    })
  const arrive = (ticket: string, cookie: string, at = host) =>
    ask(edge, at, { path: `/.longhouse/gate?ticket=${ticket}`, headers: { ...page, cookie } })
  /** The cookie of a browser that is in. */
  const enter = async (at = host, change: Partial<Ticket> = {}) => {
    const { cookie, state } = await begin(at)
    const reply = await arrive(sign(state, { host: at, ...change }), cookie, at)
    assert.equal(reply.status, 303, reply.body)
    return cookieIn(reply)
  }
  const isIn = async (cookie: string, at = host) =>
    (await ask(edge, at, { path: '/api/jobs', headers: { cookie } })).status === 200

  it('sends a page load to the control plane, and refuses everything else, before the instance sees it', async () => {
    const { there, cookie } = await begin(host, '/a?b=c')
    assert.equal(there.origin, `http://control.box.example:${edge.port}`)
    assert.equal(there.pathname, '/gate')
    assert.deepEqual([there.searchParams.get('host'), there.searchParams.get('path')], [host, '/a?b=c'])
    assert.match(cookie, /^longhouse_gate_state=[\w-]{43}$/)
    assert.ok(!there.href.includes(cookie.split('=')[1] ?? 'x'))
    for (const options of [
      {},
      { method: 'POST', headers: page, body: 'a=b' },
      { headers: { authorization: 'Bearer lhj_a-token-of-the-instance' } },
      { headers: { accept: 'text/event-stream' } },
    ]) {
      const reply = await ask(edge, host, { path: '/api/jobs', ...options })
      assert.equal(reply.status, 401)
      assert.match(reply.body, /gate-closed|Only the owner/)
    }
    const socket = await wire(
      edge,
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ).until(/^HTTP\/1\.1 (\d+)/)
    assert.equal(socket[1], '401')
    assert.deepEqual(seen, [])
  })

  it('lets a browser in with a ticket that it asked for, once, and strips its own cookies', async () => {
    const { cookie, state } = await begin()
    const ticket = sign(state)
    const reply = await arrive(ticket, cookie)
    assert.deepEqual([reply.status, reply.headers.location], [303, '/where?x=1'])
    const [line = ''] = reply.headers['set-cookie'] ?? []
    assert.match(line, /^longhouse_gate=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/)
    const pass = cookieIn(reply)
    const inside = await ask(edge, host, {
      path: '/where?x=1',
      headers: { ...page, cookie: `${cookie}; ${pass}; __Host-longhouse_gate=y; longhouse_session=s` },
    })
    assert.equal(inside.body, 'alpha /where?x=1')
    assert.deepEqual(seen, ['longhouse_session=s'])
    assert.deepEqual(inside.headers['set-cookie'], ['__Host-own=1'], 'no instance sets a cookie of the gate')
    assert.equal((await arrive(ticket, cookie)).status, 403, 'used before')
    assert.equal(
      (await arrive(ticket, `${cookie}; ${pass}`)).headers.location,
      '/where?x=1',
      'back and again',
    )
  })

  it('gives the same pass when a ticket is used again at another edge, which cannot know', async t => {
    const other = await startEdge({ LONGHOUSE_DOMAIN: 'box.example' }, clock)
    t.after(() => other.stop())
    route(other, 'alpha', alpha)
    other.router.setRule('alpha', 'gate', rule)
    const { cookie, state } = await begin()
    const ticket = sign(state)
    const first = await arrive(ticket, cookie)
    clock.advance(5000)
    const path = `/.longhouse/gate?ticket=${ticket}`
    const again = await ask(other, host, { path, headers: { ...page, cookie } })
    assert.equal(again.status, 303)
    assert.equal(cookieIn(again), cookieIn(first))
  })

  it('refuses tickets that are forged, too old, of another browser, host or generation', async () => {
    const { cookie, state } = await begin()
    const other = await begin()
    const refused: [string, string, string?][] = [
      ['another browser', sign(other.state)],
      ['no cookie', sign(state), ''],
      ['too old', sign(state, { expiresAt: clock.now() - 1 })],
      ['another host', sign(state, { host: 'jobs.acme.test' })],
      ['a pass', `${sign(state)}.${cookie.split('=')[1]}`],
      ['another generation', sign(state, { generation: 0 })],
      ['another key', sign(state, {}, ticketKeys(Buffer.alloc(32, 8)).signs)],
      ['what the edge has', sign(state, {}, ticketKeys(Buffer.from(verifies, 'base64url')).signs)],
      ['cut', sign(state).slice(0, -2)],
      ['changed', `x${sign(state)}`],
      ['nothing', ''],
      ['noise', '%00.%ff'],
    ]
    for (const [what, ticket, kept = cookie] of refused) {
      const reply = await arrive(ticket, kept)
      assert.equal(reply.status, 403, what)
      assert.equal(reply.headers['set-cookie'], undefined, what)
    }
    for (const path of ['https://evil.test/', '//evil.test', '/\\evil.test']) {
      const again = await begin()
      assert.equal((await arrive(sign(again.state, { path }), again.cookie)).headers.location, '/', path)
    }
  })

  it('gives a pass for one host, which ends with the session, the generation or its time', async () => {
    const [atSite, atDomain] = [await enter(), await enter('jobs.acme.test')]
    assert.deepEqual([await isIn(atSite), await isIn(atDomain, 'jobs.acme.test')], [true, true])
    assert.deepEqual([await isIn(atDomain), await isIn(atSite, 'jobs.acme.test')], [false, false])
    assert.equal(await isIn(`${atSite}; ${atSite}`), false, 'two of them: one may be planted')
    edge.router.setRule('alpha', 'gate', { ...rule, sessions: ['sess_ada', 'sess_bob'] })
    assert.equal(await isIn(atSite), true)
    edge.router.setRule('alpha', 'gate', { ...rule, sessions: ['sess_bob'] })
    assert.equal(await isIn(atSite), false, 'signed out')
    edge.router.setRule('alpha', 'gate', { ...rule, generation: 2 })
    assert.equal(await isIn(atSite), false, 'another generation')
    edge.router.setRule('alpha', 'gate', rule)
    assert.equal(await isIn(atSite), true)
    const operators = await enter(host, { session: 'operator' })
    assert.equal(await isIn(operators), true)
    clock.advance(10 * 60_000)
    assert.deepEqual([await isIn(operators), await isIn(atSite)], [false, true])
    clock.advance(12 * 3_600_000)
    assert.equal(await isIn(atSite), false)
  })

  it('leaves public paths open, however they are written, and nothing else', async () => {
    for (const path of ['/hooks', '/hooks?x=1', '/hooks/a/b', '/badges/daily%20digest.svg'])
      assert.equal((await ask(edge, host, { path })).status, 200, path)
    for (const path of [
      ...['/', '/hooksy', '/HOOKS', '/x/hooks', '/hooks/../api/jobs', '/hooks/%2e%2e/api/jobs', '/hooks/..'],
      ...[
        '/hooks/%2E./api',
        '/hooks%2fx',
        '/hooks//x',
        '//hooks',
        '/hooks/./x',
        '/hooks/..%2fapi',
        '/hooks\\..\\api',
      ],
    ])
      assert.equal((await ask(edge, host, { path })).status, 401, path)
  })

  it('ends streams and tunnels of those who may no longer pass', async () => {
    const cookie = await enter()
    const stream = wire(
      edge,
      `GET /events HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    )
    await stream.until(/data: 1/)
    const tunnel = wire(
      edge,
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: ${cookie}\r\n\r\n`,
    )
    await tunnel.until(/^HTTP\/1\.1 101/)
    edge.router.setRule('alpha', 'gate', { ...rule, sessions: ['sess_ada', 'sess_new'], publicPaths: [] })
    assert.equal(await isIn(cookie), true)
    assert.ok(!stream.socket.destroyed && !tunnel.socket.destroyed)
    edge.router.setRule('alpha', 'gate', { ...rule, sessions: [] })
    await Promise.all([stream.ended(), tunnel.ended()])
  })

  it('is off without a rule, and its path is the instance’s own then', async () => {
    edge.router.setRule('alpha', 'gate', null)
    assert.equal(
      (await ask(edge, host, { path: '/.longhouse/gate?ticket=x' })).body,
      'alpha /.longhouse/gate?ticket=x',
    )
    await eventually(() => seen.length > 0)
  })
})
