import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { eventually, type Instance, route, startInstance } from '../router/wire.fixture.ts'
import { frame, frameTypes, type RawHeader, rawSession, requestFrames } from './frames.fixture.ts'
import { ask2, dial, type SecureEdge, session, startSecureEdge } from './secure-edge.fixture.ts'

let edge: SecureEdge
let backend: Instance

before(async () => {
  edge = await startSecureEdge()
  backend = await startInstance('inst_a', (request, response) => {
    request.resume()
    request.on('end', () => response.end(request.url))
  })
  route(edge, 'a', backend)
})
after(async () => {
  await edge.stop()
  await backend.close()
})

const host = 'a.example.test'
const plain: readonly RawHeader[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', host],
  [':path', '/'],
]
const but = (...changed: RawHeader[]) => [
  ...plain.filter(([name]) => !changed.some(([other]) => other === name)),
  ...changed,
]
const pseudoFirst = (...changed: RawHeader[]) => {
  const all = but(...changed)
  return [...all.filter(([name]) => name.startsWith(':')), ...all.filter(([name]) => !name.startsWith(':'))]
}

const faulty: Record<string, { headers: readonly RawHeader[]; body?: string }> = {
  'an upper-case name': { headers: pseudoFirst(['X-A', 'b']) },
  'a request line in the path': { headers: pseudoFirst([':path', '/ HTTP/1.1\r\nHost: b\r\n\r\nGET /x']) },
  'a space in the path': { headers: pseudoFirst([':path', '/a b']) },
  'an empty path': { headers: pseudoFirst([':path', '']) },
  'a path without a slash': { headers: pseudoFirst([':path', 'x']) },
  'an absolute path': { headers: pseudoFirst([':path', `https://${host}/`]) },
  'no path': { headers: plain.filter(([name]) => name !== ':path') },
  'no method': { headers: plain.filter(([name]) => name !== ':method') },
  'no scheme': { headers: plain.filter(([name]) => name !== ':scheme') },
  'two paths': { headers: [...plain, [':path', '/other']] },
  'a pseudo-header after a header': { headers: but(['x-a', 'b'], [':path', '/']) },
  'an unknown pseudo-header': { headers: pseudoFirst([':other', 'b']) },
  'a method with a line break': { headers: pseudoFirst([':method', 'GET / HTTP/1.1\r\nX: y\r\n\r\nGET']) },
  'an unknown method': { headers: pseudoFirst([':method', 'WHATEVER']) },
  'another scheme': { headers: pseudoFirst([':scheme', 'http']) },
  'a connection': { headers: pseudoFirst([':method', 'CONNECT']) },
  'a connection as RFC 8441 has it': {
    headers: pseudoFirst([':method', 'CONNECT'], [':protocol', 'websocket']),
  },
  'a host that is not the authority': { headers: pseudoFirst(['host', 'control.example.test']) },
  'two hosts': { headers: pseudoFirst(['host', host], ['host', host]).slice(1) },
  'an authority with a user': { headers: pseudoFirst([':authority', `user@${host}`]) },
  'an authority with a line break': { headers: pseudoFirst([':authority', `${host}\r\nX-A: b`]) },
  'no authority': { headers: plain.filter(([name]) => name !== ':authority') },
  'a transfer coding': { headers: pseudoFirst(['transfer-encoding', 'chunked']), body: '0\r\n\r\n' },
  'a Connection header': { headers: pseudoFirst(['connection', 'x-a']) },
  'an Upgrade header': { headers: pseudoFirst(['upgrade', 'websocket']) },
  'a TE header of another kind': { headers: pseudoFirst(['te', 'gzip']) },
  'a length with a sign': { headers: pseudoFirst(['content-length', '+4']), body: 'abcd' },
  'two lengths': { headers: pseudoFirst(['content-length', '4'], ['content-length', '5']), body: 'abcd' },
  'a length beyond the body': { headers: pseudoFirst(['content-length', '5']), body: 'abcd' },
  'a body beyond its length': { headers: pseudoFirst(['content-length', '3']), body: 'abcdGET / HTTP/1.1' },
  'a length without a body': { headers: pseudoFirst(['content-length', '4']) },
}

for (const [what, { headers, body }] of Object.entries(faulty)) {
  it(`passes on no request over HTTP/2 with ${what}`, async () => {
    const before = backend.asked.length
    const raw = await rawSession(edge, host)
    raw.send(requestFrames(1, headers, body))
    const answered = await eventually(
      () =>
        raw.socket.destroyed ||
        raw.frames.find(({ stream, type }) => stream === 1 && [1, 3].includes(type)) ||
        raw.frames.find(({ type }) => type === frameTypes.goaway),
      () => `an answer to ${what}`,
    )
    assert.ok(answered)
    const whole = await passedOn()
    assert.deepEqual(
      whole.slice(before).map(({ url }) => url),
      ['/probe'],
    )
    raw.socket.destroy()
  })
}

/** The parser drops such a header, and takes the rest of the request. */
const droppable: Record<string, RawHeader> = {
  'a line break in a value': ['x-a', 'b\r\nX-B: c'],
  'a line feed in a value': ['x-a', 'b\nX-B: c'],
  'a NUL in a value': ['x-a', 'b\0c'],
  'a line break in a name': ['x-a\r\nx-b', 'c'],
  'a colon in a name': ['x-a: b', 'c'],
  'an empty name': ['', 'b'],
  'a space before a value': ['x-a', ' b'],
}

for (const [what, header] of Object.entries(droppable)) {
  it(`passes on no header over HTTP/2 with ${what}`, async () => {
    const before = backend.asked.length
    const raw = await rawSession(edge, host)
    raw.send(requestFrames(1, pseudoFirst(header)))
    await eventually(() => raw.frames.find(({ stream, type }) => stream === 1 && [1, 3].includes(type)))
    for (const { url, rawHeaders } of (await passedOn()).slice(before)) {
      assert.match(url ?? '', /^\/(probe)?$/)
      assert.ok(!rawHeaders.some(text => /^x-[ab]|^[bc]$/i.test(text)), rawHeaders.join('\n'))
    }
    raw.socket.destroy()
  })
}

/** What the instance was asked, after a request that certainly reached it. */
async function passedOn() {
  const client = session(edge, host)
  assert.equal((await ask2(client, { ':path': '/probe' })).body, '/probe')
  client.close()
  return backend.asked
}

it('passes the same frames on without a fault', async () => {
  const before = backend.asked.length
  const raw = await rawSession(edge, host)
  raw.send(requestFrames(1, [...plain, ['content-length', '4'], ['host', host]], 'abcd'))
  raw.send(requestFrames(3, plain, 'abcd'))
  raw.send(requestFrames(5, [...plain.filter(([name]) => name !== ':authority'), ['host', host]]))
  await eventually(
    () => raw.frames.filter(({ flags, stream }) => stream > 0 && (flags & 1) === 1).length === 3,
  )
  const asked = backend.asked.slice(before)
  assert.deepEqual(
    asked.map(({ headers }) => [headers.host, headers['content-length'], headers['transfer-encoding']]),
    [
      [host, '4', undefined],
      [host, undefined, 'chunked'],
      [host, undefined, undefined],
    ],
  )
  raw.socket.destroy()
})

const inOne: readonly string[] = [
  'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
  'Content-Length: +4\r\n\r\nabcd',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  'X-A: b\rX-B: c\r\n\r\n',
  'Host: control.example.test\r\n\r\n',
]

it('is as strict with HTTP/1.1 over TLS as without', async () => {
  for (const head of inOne) {
    const socket = await dial(edge, host, 'http/1.1')
    let received = ''
    socket.setEncoding('latin1').on('data', chunk => {
      received += chunk
    })
    socket.on('error', () => undefined)
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${head}`)
    await eventually(
      () => socket.destroyed,
      () => head,
    )
    assert.match(received, /^HTTP\/1\.1 (400|501|502) /, head)
    assert.equal(received.match(/^HTTP\/1\.1 /gm)?.length, 1, head)
  }
  assert.equal((await passedOn()).at(-1)?.url, '/probe')
})

it('closes the connection of a client that opens requests and gives them up at once', async () => {
  const raw = await rawSession(edge, host)
  const cancel = Buffer.from([0, 0, 0, 8])
  for (let i = 1; i < 6000; i += 2) {
    raw.send(requestFrames(i, plain), frame(frameTypes.reset, 0, i, cancel))
  }
  await eventually(() => raw.socket.destroyed)
  assert.equal((await passedOn()).at(-1)?.url, '/probe')
})

it('closes the connection of a client that only asks for signs of life', async () => {
  for (const flood of [frame(frameTypes.ping, 0, 0, Buffer.alloc(8)), frame(frameTypes.settings, 0, 0)]) {
    const raw = await rawSession(edge, host)
    raw.socket.pause()
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => flood))
    raw.send(many, many)
    await eventually(() => {
      raw.socket.resume()
      return raw.socket.destroyed
    })
  }
  assert.equal((await passedOn()).at(-1)?.url, '/probe')
})

it('closes the connection of a client that has more requests at a time than it may', async () => {
  const raw = await rawSession(edge, host)
  for (let i = 1; i < 2 * 200; i += 2) {
    raw.send(frame(frameTypes.headers, 4, i, requestFrames(i, plain).subarray(9)))
  }
  await eventually(() => raw.socket.destroyed)
  assert.equal((await passedOn()).at(-1)?.url, '/probe')
})

it('refuses a head beyond the limit and serves the next request', async () => {
  const raw = await rawSession(edge, host)
  raw.send(requestFrames(1, [...plain, ['x-long', 'x'.repeat(15_900)]]))
  await eventually(() => raw.frames.some(({ type, stream }) => type === frameTypes.headers && stream === 1))
  const client = session(edge, host)
  const long = await ask2(client, { ':path': '/', 'x-a': 'x'.repeat(20_000) })
  assert.equal(long.status, 431)
  assert.equal((await ask2(client, { ':path': '/after' })).body, '/after')
  await assert.rejects(ask2(client, { ':path': '/', 'x-a': 'x'.repeat(70_000) }))
  client.close()
  raw.socket.destroy()
})
