import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, before, it } from 'node:test'
import { identityPath } from '../../src/http/identity.ts'
import { type Edge, startEdge } from './edge.fixture.ts'
import { ask, listening, route, startInstance, wire } from './wire.fixture.ts'

let edge: Edge
before(async () => {
  edge = await startEdge()
})
after(() => edge.stop())

/** Answers each connection's requests with the next of the given texts; `null` closes instead. */
const scripted = async (...answers: (string | null)[]) => {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(socket => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', data => {
      if (data.toString('latin1').startsWith(`HEAD ${identityPath} `)) return void socket.write(proven)
      const answer = answers.shift()
      if (answer === null || answer === undefined) socket.destroy()
      else socket.write(answer)
    })
  })
  const port = await listening(server)
  route(edge, 'raw', { id: 'inst_raw', port })
  return {
    port,
    connections: () => connections,
    left: () => answers.length,
    /** Sends this on every connection. */
    sendAll: (text: string) => {
      for (const socket of sockets) socket.write(text)
    },
    /** Resolves when the edge has closed all connections so far. */
    closed: () => Promise.all([...sockets].map(socket => socket.closed || once(socket, 'close'))),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
const proven = 'HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_raw\r\n\r\n'
const good = 'HTTP/1.1 200 OK\r\nLonghouse-Instance: inst_raw\r\nContent-Length: 2\r\n\r\nok'

it('answers 502 when nothing listens, and reports the instance as misrouted', async () => {
  const gone = await scripted()
  await gone.close()
  const reply = await ask(edge, 'raw.localhost')
  assert.equal(reply.status, 502)
  assert.deepEqual(edge.misrouted.at(-1), {
    instanceId: 'inst_raw',
    subdomain: 'raw',
    reason: 'refused the connection',
  })
})

it('answers 502 when the peer speaks no HTTP, or closes first', async () => {
  const raw = await scripted(
    'SSH-2.0-OpenSSH\r\n\r\n',
    null,
    'HTTP/1.1 101 Sure\r\nLonghouse-Instance: inst_raw\r\n\r\n',
  )
  for (let i = 0; i < 3; i++) assert.equal((await ask(edge, 'raw.localhost')).status, 502, String(i))
  await raw.close()
})

it('retries when an idle connection turns out to be closed', async () => {
  const raw = await scripted(good, null, good)
  assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  assert.equal(raw.connections(), 2)
  await raw.close()
})

it('retries only where that is safe, and only once', async () => {
  const posted = await scripted(good, null, good)
  await ask(edge, 'raw.localhost')
  assert.equal((await ask(edge, 'raw.localhost', { method: 'POST', body: 'pay' })).status, 502)
  assert.equal(posted.left(), 1)
  await posted.close()

  const begun = await scripted(good, null, null, good)
  await ask(edge, 'raw.localhost')
  assert.equal((await ask(edge, 'raw.localhost')).status, 502)
  assert.equal(begun.left(), 1)
  await begun.close()
})

it('never passes on an answer that is not the instance’s own', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n'
  const mine = 'Longhouse-Instance: inst_raw\r\n'
  const answers = [
    `${head}\r\nsecret`,
    `${head}Longhouse-Instance: inst_other\r\n\r\nsecret`,
    `${head}${mine}Longhouse-Instance: inst_other\r\n\r\nsecret`,
    `HTTP/1.1 421 Misdirected Request\r\n${mine}Content-Length: 6\r\n\r\nsecret`,
    `HTTP/1.1 103 Early Hints\r\nLink: </secret>\r\n\r\n${head}Longhouse-Instance: inst_other\r\n\r\nsecret`,
  ]
  const raw = await scripted(...answers, good)
  for (const answer of answers) {
    const reply = await ask(edge, 'raw.localhost')
    assert.equal(reply.status, 502, answer)
    assert.equal(JSON.parse(reply.body).type, 'urn:longhouse:problem:instance-misrouted')
    assert.doesNotMatch(JSON.stringify(reply.headers) + reply.body, /secret/)
  }
  assert.equal(raw.connections(), answers.length)
  assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  await raw.close()
})

it('sends a stranger at the address no customer data, nor the id it should answer with', async () => {
  const seen: string[] = []
  const strangers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_other\r\n\r\n',
    'HTTP/1.1 421 Misdirected Request\r\nLonghouse-Instance: inst_mine\r\n\r\n',
    'HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_mine\r\nLonghouse-Instance: inst_other\r\n\r\n',
    'HTTP/1.1 204 No Content\r\nX: Longhouse-Instance: inst_mine\r\n\r\n',
    'HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_mine\r\n\r\nHTTP/1.1 200 OK\r\n',
    'HTTP/1.1 103 Early Hints\r\nLonghouse-Instance: inst_mine\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n\r\n',
    null,
  ]
  let answer: string | null = null
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', data => {
      seen.push(data.toString('latin1'))
      if (answer === null) socket.destroy()
      else socket.write(answer)
    })
  })
  const port = await listening(server)
  route(edge, 'mine', { id: 'inst_mine', port })
  const secret = {
    cookie: 'longhouse_session=secret',
    authorization: 'Bearer secret',
    'x-secret': 'secret',
  }
  for (answer of strangers) {
    for (const method of ['GET', 'POST']) {
      const path = '/secret?token=secret'
      const body = method === 'POST' ? { body: 'secret' } : {}
      const reply = await ask(edge, 'mine.localhost', { method, path, headers: secret, ...body })
      assert.equal(reply.status, 502, String(answer))
    }
    const upgrade = { ...secret, connection: 'Upgrade', upgrade: 'echo' }
    assert.equal((await ask(edge, 'mine.localhost', { headers: upgrade })).status, 502)
  }
  assert.equal(seen.length, strangers.length * 3)
  for (const text of seen) assert.doesNotMatch(text, /secret|inst_mine|mine\.localhost/)
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => server.close(resolve))
})

it('asks for identification once per connection, not per request', async () => {
  const raw = await scripted(good, good, good)
  for (let i = 0; i < 3; i++) assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  assert.equal(raw.connections(), 1)
  await raw.close()
})

it('keeps two tenants apart when their ports are swapped', async () => {
  const alpha = await startInstance('inst_alpha', (_, response) => response.end('alpha’s own'))
  const beta = await startInstance('inst_beta', (_, response) => response.end('beta’s own'))
  route(edge, 'alpha', { id: 'inst_alpha', port: beta.port })
  route(edge, 'beta', { id: 'inst_beta', port: alpha.port })
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(edge, i % 2 ? 'alpha.localhost' : 'beta.localhost')),
  )
  for (const reply of replies) {
    assert.equal(reply.status, 502)
    assert.doesNotMatch(reply.body, /own/)
  }
  assert.ok(edge.misrouted.some(event => event.instanceId === 'inst_alpha' && event.subdomain === 'alpha'))
  assert.ok(edge.misrouted.some(event => event.instanceId === 'inst_beta' && event.subdomain === 'beta'))
  route(edge, 'alpha', alpha)
  route(edge, 'beta', beta)
  assert.equal((await ask(edge, 'alpha.localhost')).body, 'alpha’s own')
  assert.equal((await ask(edge, 'beta.localhost')).body, 'beta’s own')
  await alpha.close()
  await beta.close()
})

it('passes on early hints that name the instance, and no others', async () => {
  const hint = (id: string, link: string) =>
    `HTTP/1.1 103 Early Hints\r\nLonghouse-Instance: ${id}\r\nLink: <${link}>; rel=preload\r\nX-Other: no\r\n\r\n`
  const raw = await scripted(hint('inst_raw', '/style.css') + hint('inst_other', '/secret') + good, good)
  const line = wire(edge, 'GET / HTTP/1.1\r\nHost: raw.localhost\r\n\r\n')
  await line.until(/200 OK[\s\S]*ok$/)
  assert.match(
    line.received(),
    /^HTTP\/1\.1 103 [^\r]*\r\nLink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  )
  assert.doesNotMatch(line.received(), /secret|X-Other/)
  // HTTP/1.0 knows no answers before the answer.
  const old = wire(edge, 'GET / HTTP/1.0\r\nHost: raw.localhost\r\n\r\n')
  assert.match(await old.ended(), /^HTTP\/1\.1 200 OK\r\n/)
  line.socket.destroy()
  await raw.close()
})

/** The connection ends before the last chunk: no client takes that for a whole answer. */
const cutShort = /^(?![\s\S]*\r\n0\r\n)/

it('a hostile instance hurts only its own answers', async () => {
  const head = 'HTTP/1.1 200 OK\r\nLonghouse-Instance: inst_raw\r\n'
  const evil = `${head}Content-Length: 4\r\n\r\nevil`
  for (const [answer, expected] of [
    [good + evil, /200 OK[\s\S]*\r\n\r\nok$/],
    [
      `HTTP/1.1 204 No Content\r\nLonghouse-Instance: inst_raw\r\nContent-Length: 4\r\n\r\nevil`,
      /^HTTP\/1\.1 204 No Content\r\n(?![\s\S]*(evil|Content-Length))/,
    ],
    [`${head}Content-Length: 2\r\nContent-Length: 6\r\n\r\nok${evil}`, /502 Bad Gateway/],
    [`${head}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n${evil}`, /502 Bad Gateway/],
    [`${head}X: a\nContent-Length: 0\r\n\r\n${evil}`, /502 Bad Gateway/],
    [`${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n${evil}`, cutShort],
    [`${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok!\r\n0\r\n\r\n`, cutShort],
    [`${head}Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, /502 Bad Gateway/],
    [`HTTP/1.1 102 Processing\r\n\r\n`.repeat(100), /502 Bad Gateway/],
    [`${head}X: ${'x'.repeat(40_000)}\r\n\r\n`, /502 Bad Gateway/],
  ] as const) {
    const raw = await scripted(answer, good)
    const first = wire(edge, 'GET /first HTTP/1.1\r\nHost: raw.localhost\r\n\r\n')
    if (expected === cutShort) assert.match(await first.ended(), cutShort)
    else await first.until(expected)
    // Another client's request does not get what was left over, nor does a neighbour's.
    const neighbour = await startInstance('inst_next')
    route(edge, 'next', neighbour)
    const [again, next] = await Promise.all([ask(edge, 'raw.localhost'), ask(edge, 'next.localhost')])
    assert.equal(again.body, 'ok', answer.slice(0, 200))
    assert.equal(next.body, 'inst_next')
    assert.equal(raw.connections(), 2)
    assert.ok((first.received().match(/^HTTP\/1\.1 /gm)?.length ?? 0) <= 1)
    assert.doesNotMatch(first.received(), /evil/)
    first.socket.destroy()
    await neighbour.close()
    await raw.close()
  }
})

it('what an instance sends without being asked is no answer', async () => {
  const raw = await scripted(good, good)
  assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  raw.sendAll('HTTP/1.1 200 OK\r\nLonghouse-Instance: inst_raw\r\nContent-Length: 4\r\n\r\nevil')
  await raw.closed()
  assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
  assert.equal(raw.connections(), 2)
  await raw.close()
})
