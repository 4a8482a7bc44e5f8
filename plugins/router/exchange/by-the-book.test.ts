import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { type Instance, route, startInstance, wire } from '../wire.fixture.ts'

let edge: Edge
let instance: Instance
let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {}
before(async () => {
  edge = await startEdge()
  instance = await startInstance('inst_a', (request, response) => handle(request, response))
  route(edge, 'a', instance)
})
after(async () => {
  await edge.stop()
  await instance.close()
})

test('a client of HTTP/1.0 gets no chunks', async () => {
  handle = (_, response) => {
    response.write('one ')
    response.end('two')
  }
  const answer = await wire(edge, 'GET / HTTP/1.0\r\nHost: a.localhost\r\n\r\n').ended()
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n(?![\s\S]*Transfer-Encoding)[\s\S]*\r\n\r\none two$/)
})

test('pipelined requests are answered in order, whichever the instance answers first', async () => {
  const open: ServerResponse[] = []
  handle = (request, response) => {
    if (request.url === '/slow') open.push(response)
    else {
      response.end('quick')
      for (const slow of open) slow.end('slow')
    }
  }
  const line = wire(
    edge,
    'GET /slow HTTP/1.1\r\nHost: a.localhost\r\n\r\nGET /quick HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n',
  )
  assert.match(await line.ended(), /\r\n\r\nslowHTTP\/1\.1 200 [\s\S]*\r\n\r\nquick$/)
})

test('compressed and ranged answers arrive byte for byte', async () => {
  const body = gzipSync('x'.repeat(1000))
  handle = (_, response) =>
    void response
      .writeHead(206, { 'Content-Encoding': 'gzip', 'Content-Range': 'bytes 0-9/1000', ETag: 'W/"x"' })
      .end(body)
  const answer = await wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n').ended()
  assert.match(answer, /^HTTP\/1\.1 206 [\s\S]*Content-Range: bytes 0-9\/1000\r\n/)
  assert.ok(answer.includes(body.toString('latin1')))
})
