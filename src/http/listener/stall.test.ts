import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it, test } from 'node:test'
import { hasBody, limitStall } from './stall.ts'

describe('a request body that stops coming', () => {
  const server = createServer((request, response) => {
    if (hasBody(request)) limitStall(request, response, { stallMs: 2000, bodyRate: 0 })
    void text(request).then(
      body => response.end(`got ${body}`),
      () => undefined,
    )
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const post = () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n')
    return socket
  }

  it('ends the connection, while one that comes slowly may go on', async () => {
    const stalled = text(post())
    const slow = post()
    const answer = text(slow)
    const writing = setInterval(() => slow.write('1\r\nx\r\n'), 20)
    assert.equal(await stalled, '')
    clearInterval(writing)
    slow.write('0\r\n\r\n')
    assert.match(await answer, /200 OK[\s\S]*got x+/)
  })
})

describe('a request body that comes too slowly', () => {
  /** Reads a body only when its time has come. */
  const unread: (() => void)[] = []
  const server = createServer((request, response) => {
    limitStall(request, response, { bodyRate: 5, windowMs: 2000, named: { 'X-Named': 'yes' } })
    const take = () =>
      void text(request).then(
        body => response.end(`got ${body.length}`),
        () => undefined,
      )
    if (request.url === '/later') unread.push(take)
    else take()
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const post = (path: string, body: string) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n${body}`,
    )
    return socket
  }

  it('is refused in words; one that brings enough goes on, and so does one that we do not read', async () => {
    const slow = post('/', 'a')
    const refused = text(slow)
    const dripping = setInterval(() => slow.write('x'), 1000)
    const quick = post('/', '')
    const steady = setInterval(() => quick.write('x'.repeat(10)), 100)
    const taken = text(quick)
    const waiting = post('/later', 'x'.repeat(600))
    const later = text(waiting)
    assert.match(await refused, /^HTTP\/1\.1 408 [\s\S]*X-Named: yes[\s\S]*less than 5 bytes a second/)
    clearInterval(dripping)
    assert.match(await taken, /200 OK[\s\S]*got 1000/)
    clearInterval(steady)
    unread[0]?.()
    waiting.write('x'.repeat(400))
    assert.match(await later, /200 OK[\s\S]*got 1000/)
  })
})

test('a request without a body, or with a complete one, has no time limit', async t => {
  const server = createServer((request, response) => {
    if (hasBody(request)) limitStall(request, response, { bodyRate: 500, windowMs: 50 })
    setTimeout(() => response.end('done'), 300)
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const head of ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n']) {
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}`)
    assert.match(await text(socket), /^HTTP\/1\.1 200 [\s\S]*done/, head)
  }
})
