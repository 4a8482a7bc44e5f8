import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { hasBody, limitStall } from './stall.ts'

describe('a request body that stops coming', () => {
  const server = createServer((request, response) => {
    if (hasBody(request)) limitStall(request, response, 2000)
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
