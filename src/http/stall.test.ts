import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { hasBody, limitStall } from './stall.ts'

describe('a request body that stops coming', () => {
  const server = createServer((request, response) => {
    if (hasBody(request)) limitStall(request, response, 150)
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
  const post = (start: string) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20\r\n\r\n${start}`)
    return socket
  }

  it('ends the connection', async () => {
    assert.equal(await text(post('half')), '')
  })

  it('may come slowly as long as it comes', async () => {
    const socket = post('')
    const answer = text(socket)
    const startedAt = Date.now()
    for (let i = 0; i < 20; i++) {
      socket.write('x')
      await new Promise(resolve => setTimeout(resolve, 15))
    }
    assert.ok(Date.now() - startedAt > 150)
    assert.match(await answer, /got x{20}$/)
  })
})
