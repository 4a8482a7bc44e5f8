import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { z } from 'zod'
import { appForTest } from '../testing/app.ts'
import { preferredWait } from './negotiate.ts'
import type { ProblemDocument } from './problem.ts'
import { notFound, unauthorized } from './problem.ts'
import { open, type Route, route } from './route.ts'

const page = { Accept: 'text/html,application/xhtml+xml;q=0.9' }

const things: Route[] = [
  route({
    method: 'get',
    path: '/things/{name}',
    summary: 'One thing',
    guard: open,
    params: z.object({ name: z.string().regex(/^[a-z]+$/, 'must be lowercase letters') }),
    query: z.object({ count: z.coerce.number('must be a number').optional() }),
    answers: { 200: { description: 'It' } },
    handle: (c, { params, query }) => c.json({ name: params.name, count: query.count ?? null }),
  }),
  route({
    method: 'post',
    path: '/things/{name}',
    summary: 'Change one',
    guard: open,
    params: z.object({ name: z.string().regex(/^[a-z]+$/, 'must be lowercase letters') }),
    body: z.strictObject({ size: z.coerce.number('must be a number') }),
    answers: { 200: { description: 'Done' } },
    onInvalid: (c, errors, fields) => c.text(`again: ${errors[0]?.path} ${JSON.stringify(fields)}`, 422),
    handle: (c, { body }) => c.json(body),
  }),
]

async function problemOf(response: Response): Promise<ProblemDocument> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const document = (await response.json()) as ProblemDocument
  assert.equal(document.status, response.status)
  assert.match(document.type, /^urn:longhouse:problem:[a-z-]+$/)
  assert.equal(document.request_id, response.headers.get('x-request-id'))
  return document
}

test('valid input reaches the handler, parsed', async () => {
  const app = appForTest(things)
  assert.deepEqual(await (await app.request('/things/abc?count=3')).json(), { name: 'abc', count: 3 })
  const posted = await app.request('/things/abc', { method: 'POST', body: '{"size":"4"}' })
  assert.deepEqual(await posted.json(), { size: 4 })
})

test('every invalid field is reported at once, wherever it is', async () => {
  const bad = { method: 'POST', body: '{"size":"x","colour":1}' }
  const response = await appForTest(things).request('/things/A', bad)
  assert.equal(response.status, 422)
  const { errors, title, detail } = await problemOf(response)
  assert.deepEqual(errors, [
    { path: 'name', message: 'must be lowercase letters' },
    { path: 'size', message: 'must be a number' },
    { path: 'colour', message: 'is not a field here; remove it' },
  ])
  assert.equal(title, 'Some of the input is not valid')
  assert.match(detail, /size: must be a number/)
})

test('a browser gets its form again, or a page with the same error', async () => {
  const app = appForTest(things)
  const form = await app.request('/things/abc', { method: 'POST', body: 'size=x', headers: page })
  assert.equal(form.status, 422)
  assert.equal(await form.text(), 'again: size {"size":"x"}')
  const missing = await app.request('/nowhere', { headers: page })
  assert.equal(missing.status, 404)
  assert.match(missing.headers.get('content-type') ?? '', /^text\/html/)
  assert.equal(await missing.text(), '<h1>Not found</h1>')
  assert.match(missing.headers.get('vary') ?? '', /Accept/)
})

test('an unknown path is 404, a known path with another method is 405 with Allow', async () => {
  const app = appForTest(things)
  app.get('/passes', (_, next) => next())
  for (const path of ['/nowhere', '/things', '/things/a/b', '/passes', '/things/%ZZ/x']) {
    const response = await app.request(path)
    assert.equal(response.status, 404, path)
    assert.equal(response.headers.get('allow'), null)
    await problemOf(response)
  }
  for (const method of ['DELETE', 'PUT', 'OPTIONS']) {
    const response = await app.request('/things/abc', { method })
    assert.equal(response.status, 405, method)
    assert.equal(response.headers.get('allow'), 'GET, HEAD, POST')
    await problemOf(response)
  }
})

test('a browser that opens the address of a form gets to the page above it', async () => {
  const change = (path: string) =>
    route({
      method: 'post',
      path,
      summary: 'Change',
      guard: open,
      body: z.object({}),
      answers: { 200: { description: 'Done' } },
      handle: c => c.json({}),
    })
  const app = appForTest([...things, change('/things/{name}/parts/remove'), change('/api/remove')])
  const visit = await app.request('/things/abc/parts/remove', { headers: page })
  assert.deepEqual([visit.status, visit.headers.get('location')], [303, '/things/abc'])
  for (const id of ['%00', '%F0%9F%92%A3', '%E0%A4%A', 'a%2Fb', '%25']) {
    const strange = await app.request(`/things/${id}/parts/remove`, { headers: page })
    assert.deepEqual([strange.status, strange.headers.get('location')], [303, `/things/${id}`])
  }
  assert.equal((await app.request('/things/abc/parts/remove')).status, 405, 'for programs it stays an error')
  assert.equal((await app.request('/api/remove', { headers: page })).status, 405)
  assert.equal((await app.request('/things/abc/parts', { headers: page })).status, 404)
})

test('HEAD answers like GET, without a body', async () => {
  const response = await appForTest(things).request('/things/abc', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
  assert.equal((await appForTest(things).request('/nowhere', { method: 'HEAD' })).status, 404)
})

test('what HEAD does not send is given up', async () => {
  let isGivenUp = false
  const endless = route({
    method: 'get',
    path: '/endless',
    summary: 'Sends without end',
    guard: open,
    answers: { 200: { description: 'Bytes' } },
    handle: c =>
      c.body(
        new ReadableStream({
          pull: stream => stream.enqueue(new Uint8Array(1024)),
          cancel: () => {
            isGivenUp = true
          },
        }),
      ),
  })
  const answer = await appForTest([endless]).request('/endless', { method: 'HEAD' })
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), '')
  assert.ok(isGivenUp)
})

test('a handler that throws answers 500 without the cause, which is logged', async () => {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: line => void lines.push(line) })
  const boom = (thrown: unknown) =>
    route({
      method: 'get',
      path: `/${typeof thrown}`,
      summary: 'Throws',
      guard: open,
      answers: {},
      handle: () => {
        throw thrown
      },
    })
  const app = appForTest([boom(new Error('secret-cause')), boom('secret-cause')], { log })
  for (const path of ['/object', '/string']) {
    for (const headers of [page, {}]) {
      const response = await app.request(path, { headers })
      assert.equal(response.status, 500)
      assert.match(response.headers.get('x-request-id') ?? '', /^req_/)
      assert.ok(response.headers.get('content-security-policy'))
      assert.doesNotMatch(await response.text(), /secret-cause/)
      assert.match(lines.join(''), /secret-cause/)
      assert.match(lines.at(-1) ?? '', new RegExp(response.headers.get('x-request-id') ?? '-'))
      lines.length = 0
    }
  }
})

test('a problem whose page fails is sent as JSON', async () => {
  const app = appForTest([], {
    problemPage: () => {
      throw new Error('no page')
    },
  })
  const response = await app.request('/nowhere', { headers: page })
  assert.equal(response.status, 404)
  assert.equal((await problemOf(response)).title, 'Not found')
})

test('a guard runs before the input is parsed, and its headers are sent', async () => {
  const refuse = {
    schemes: ['bearer'] as const,
    check: () => {
      throw unauthorized('Who are you?', { headers: { 'WWW-Authenticate': 'Bearer' } })
    },
  }
  const spec = {
    method: 'post',
    path: '/x',
    summary: 'X',
    body: z.object({ a: z.string() }),
    answers: {},
  } as const
  const app = appForTest([route({ ...spec, guard: refuse, handle: c => c.text('in') })])
  const response = await app.request('/x', { method: 'POST', body: 'nonsense {' })
  assert.equal(response.status, 401)
  assert.equal(response.headers.get('www-authenticate'), 'Bearer')
})

test('every response has the security headers for browsers', async () => {
  for (const [path, headers] of [
    ['/things/abc', {}],
    ['/nowhere', {}],
    ['/nowhere', page],
    ['/things/A', {}],
  ] as const) {
    const { headers: sent } = await appForTest(things).request(path, { headers })
    const policy = sent.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /form-action 'self'/)
    assert.match(policy, /base-uri 'none'/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    assert.equal(sent.get('x-content-type-options'), 'nosniff')
    assert.equal(sent.get('x-frame-options'), 'DENY')
    assert.equal(sent.get('referrer-policy'), 'same-origin')
    assert.equal(sent.get('strict-transport-security'), null)
    assert.match(sent.get('x-request-id') ?? '', /^req_[0-9a-z]{26}$/)
  }
  const { headers } = await appForTest(things, { https: true }).request('/things/abc')
  assert.equal(headers.get('strict-transport-security'), 'max-age=31536000')
  for (const hstsSeconds of [3600, 0]) {
    const set = await appForTest(things, { https: true, hstsSeconds }).request('/things/abc')
    assert.equal(set.headers.get('strict-transport-security'), `max-age=${hstsSeconds}`)
  }
})

test('request ids are unique, and never the client’s', async () => {
  const app = appForTest(things)
  const ids = await Promise.all(
    [1, 2].map(async () => {
      const response = await app.request('/things/abc', { headers: { 'X-Request-Id': 'mine' } })
      return response.headers.get('x-request-id')
    }),
  )
  assert.notEqual(ids[0], ids[1])
  assert.ok(!ids.includes('mine'))
})

test('the client is the peer, or the address that a trusted proxy names', async () => {
  const who = route({
    method: 'get',
    path: '/who',
    summary: 'Who asks',
    guard: open,
    answers: {},
    handle: c => c.text(c.get('client')),
  })
  const ask = async (peer: string, forwarded?: string) => {
    const headers = forwarded ? { 'X-Forwarded-For': forwarded } : {}
    const env = { incoming: { socket: { remoteAddress: peer } } }
    return (
      await appForTest([who], { trustedProxies: ['10.0.0.0/8'] }).request('/who', { headers }, env as never)
    ).text()
  }
  assert.equal(await ask('192.0.2.7', '198.51.100.1'), '192.0.2.7')
  assert.equal(await ask('10.0.0.2', '203.0.113.9, 198.51.100.1'), '198.51.100.1')
})

test('Prefer: wait=N is parsed when it is valid', async () => {
  const waits = route({
    method: 'get',
    path: '/wait',
    summary: 'Wait',
    guard: open,
    answers: {},
    handle: c => c.json(preferredWait(c)),
  })
  const app = appForTest([waits])
  const cases: [string | undefined, number][] = [
    [undefined, 0],
    ['wait=10', 10],
    ['respond-async, wait=5', 5],
    ['respond-async; wait=5', 5],
    ['Wait="7"', 7],
    ['wait=100000000', 120],
    ['wait=-1', 0],
    ['wait=soon', 0],
    ['await=9', 0],
  ]
  for (const [prefer, seconds] of cases) {
    const response = await app.request('/wait', { headers: prefer ? { Prefer: prefer } : {} })
    assert.equal(await response.json(), seconds, String(prefer))
  }
})

test('a problem may have its own text', async () => {
  const gone = route({
    method: 'get',
    path: '/gone',
    summary: 'Gone',
    guard: open,
    answers: {},
    handle: () => {
      throw notFound('It went away.', { headers: { 'Retry-After': '3' } })
    },
  })
  const response = await appForTest([gone]).request('/gone')
  assert.equal(response.headers.get('retry-after'), '3')
  assert.deepEqual((await problemOf(response)).detail, 'It went away.')
})
