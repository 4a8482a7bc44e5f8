import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createListener } from './listener.ts'
import { closeServer, openServer } from './server.ts'

/** A client that sends all it has, and only then reads. */
async function sendsFirst(t: TestContext, head: string, pieces: readonly (string | Buffer)[]) {
  const asked: string[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`)
    // It reads nothing of the body.
    response.writeHead(413, { Connection: 'close', 'Content-Length': 9 }).end('too large')
  }
  const server = createListener({ answer, expect: answer })
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server, { graceMs: 0 }))
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => socket.destroy())
  const errors: Error[] = []
  socket.on('error', error => errors.push(error))
  socket.pause()
  socket.write(head)
  for (const piece of pieces) {
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
  }
  let received = ''
  socket.setEncoding('latin1').on('data', text => {
    received += text
  })
  socket.once('end', () => socket.end())
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
  return { asked, errors, received }
}

const post = 'POST / HTTP/1.1\r\nHost: a\r\n'

test('a client that is still sending gets the answer that ends its connection', async t => {
  const piece = Buffer.alloc(256 * 1024, 'x')
  const pieces = Array.from({ length: 64 }, () => piece)
  const { errors, received } = await sendsFirst(
    t,
    `${post}Content-Length: ${pieces.length * piece.length}\r\n\r\n`,
    pieces,
  )
  assert.deepEqual(errors, [])
  assert.match(received, /^HTTP\/1\.1 413 [\s\S]*too large$/)
})

test('what follows the body on such a connection is not answered', async t => {
  const { asked, errors, received } = await sendsFirst(t, `${post}Content-Length: 6\r\n\r\nabc`, [
    'def',
    'GET /next HTTP/1.1\r\nHost: a\r\n\r\n',
  ])
  assert.deepEqual(errors, [])
  assert.deepEqual(asked, ['POST /'])
  assert.equal(received.split('HTTP/1.1 ').length, 2)
})
