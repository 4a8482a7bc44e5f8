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

test('a connection of HTTP/1.0 stays open only when its client asks for that and can see where the answer ends', async () => {
  handle = (request, response) => {
    if (request.url === '/sized') response.setHeader('Content-Length', 5)
    response.write('whole')
    response.end()
  }
  const get = (path: string, more = '') => `GET ${path} HTTP/1.0\r\nHost: a.localhost\r\n${more}\r\n`
  const keep = 'Connection: keep-alive\r\n'
  const kept = wire(edge, get('/sized', keep))
  await kept.until(/Connection: keep-alive\r\n[\s\S]*whole$/i)
  kept.write(get('/sized'))
  assert.match(await kept.ended(), /whole(?![\s\S]*keep-alive)[\s\S]*Connection: close[\s\S]*\r\n\r\nwhole$/)
  const open = await wire(edge, get('/open', keep)).ended()
  assert.match(open, /^HTTP\/1\.1 200 OK\r\n(?![\s\S]*(Transfer-Encoding|keep-alive))[\s\S]*\r\n\r\nwhole$/i)
})

test('a request of HTTP/1.0 without a Host is refused in words, and so is one of HTTP/1.1', async () => {
  handle = (_, response) => void response.end()
  const before = instance.asked.length
  for (const version of ['1.0', '1.1']) {
    const answer = await wire(edge, `GET / HTTP/${version}\r\nConnection: close\r\n\r\n`).ended()
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*The Host header is missing/)
  }
  assert.equal(instance.asked.length, before)
})

test('behind a request that cannot be read nothing is passed on, and those before it are answered', async () => {
  const open: ServerResponse[] = []
  handle = (_, response) => {
    open.push(response)
    if (open.length === 2) for (const [i, each] of open.entries()) each.end(`answer ${i}`)
  }
  const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.localhost\r\n${more}\r\n`
  for (const faulty of [
    one('/faulty', 'Content-Length: +4\r\n'),
    one('/faulty', 'A: b\rc\r\n'),
    one('/faulty', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'),
    one('/faulty', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
  ]) {
    open.length = 0
    const before = instance.asked.length
    const answers = await wire(edge, one('/1') + one('/2') + faulty + one('/after')).ended()
    assert.match(answers, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nanswer 0HTTP\/1\.1 200 [\s\S]*\r\n\r\nanswer 1/)
    assert.doesNotMatch(answers, /answer 2/)
    assert.deepEqual(
      instance.asked.slice(before).map(({ url }) => url),
      ['/1', '/2'],
    )
  }
})

test('a request that is refused and could be read takes its place among the answers', async () => {
  handle = (request, response) => void response.end(`saw ${request.url}`)
  const one = (host: string, path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}.localhost\r\n${more}\r\n`
  const answers = await wire(
    edge,
    one('a', '/1') + one('nobody', '/2') + one('a', '/3', 'Connection: close\r\n'),
  ).ended()
  assert.match(
    answers,
    /^HTTP\/1\.1 200 [\s\S]*saw \/1HTTP\/1\.1 404 [\s\S]*\}HTTP\/1\.1 200 [\s\S]*saw \/3$/,
  )
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
