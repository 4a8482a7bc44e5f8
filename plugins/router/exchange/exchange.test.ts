import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, before, it } from 'node:test'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, eventually, type Instance, route, startInstance, wire } from '../wire.fixture.ts'

const mebibyte = 1024 * 1024

/** Resolves when a figure that had begun to grow has stopped. */
async function untilStill(figure: () => number): Promise<void> {
  let before = 0
  let still = 0
  await eventually(() => {
    still = figure() > 0 && figure() === before ? still + 1 : 0
    before = figure()
    return still > 40
  })
}

let edge: Edge
/** Waits for no answer for long. */
let hasty: Edge
let instance: Instance
let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {}

before(async () => {
  edge = await startEdge()
  hasty = await startEdge({ ROUTER_RESPONSE_TIMEOUT: '1s' })
  instance = await startInstance('inst_a', (request, response) => handle(request, response))
  for (const each of [edge, hasty]) route(each, 'a', instance)
})
after(async () => {
  await edge.stop()
  await hasty.stop()
  await instance.close()
})

const post = (headers: Record<string, string> = {}) =>
  request({
    host: '127.0.0.1',
    port: edge.port,
    method: 'POST',
    headers: { host: 'a.localhost', ...headers },
    agent: false,
  })

it('streams 50 MB up at the pace of the instance', async () => {
  const reading = Promise.withResolvers<void>()
  handle = (request, response) => {
    const hash = createHash('sha256')
    void reading.promise.then(() => pipeline(request, hash)).then(() => response.end(hash.digest('hex')))
  }
  const sent = createHash('sha256')
  let taken = 0
  const source = Readable.from(
    (function* () {
      for (let i = 0; i < 50; i++) {
        const chunk = Buffer.alloc(mebibyte, i)
        sent.update(chunk)
        taken += chunk.length
        yield chunk
      }
    })(),
  )
  const outgoing = post()
  const answered = once(outgoing, 'response')
  const uploaded = pipeline(source, outgoing)
  await untilStill(() => taken)
  assert.ok(taken < 30 * mebibyte, `${taken / mebibyte} MiB were taken`)
  reading.resolve()
  await uploaded
  const [message] = await answered
  assert.equal(await text(message), sent.digest('hex'))
})

it('slows an instance down to the pace of its client', async () => {
  let written = 0
  const pour = async (response: ServerResponse) => {
    const chunk = Buffer.alloc(64 * 1024)
    for (let i = 0; i < 1600 && !response.destroyed; i++) {
      written += chunk.length
      if (!response.write(chunk)) await once(response, 'drain')
    }
    response.end()
  }
  handle = (_, response) => void pour(response)
  const line = wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
  await line.until(/200 OK/)
  line.socket.pause()
  await untilStill(() => written)
  assert.ok(written < 60 * mebibyte, `${written / mebibyte} MiB were taken from it`)
  line.socket.resume()
  await eventually(() => written === 1600 * 64 * 1024)
  line.socket.destroy()
})

it('passes events one by one, head first', async () => {
  let response: ServerResponse | undefined
  handle = (request, opened) => {
    if (request.url === '/never') return
    response = opened
    opened.writeHead(200, { 'Content-Type': 'text/event-stream' })
    opened.flushHeaders()
  }
  const line = wire(hasty, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
  await line.until(/text\/event-stream[\s\S]*\r\n\r\n/)
  for (const n of [1, 2, 3]) {
    response?.write(`data: ${n}\n\n`)
    await line.until(new RegExp(`data: ${n}\n\n`))
  }
  // An answer that has begun may take longer than one may take to begin.
  assert.equal((await ask(hasty, 'a.localhost', { path: '/never' })).status, 504)
  response?.write('data: late\n\n')
  await line.until(/data: late/)
  const gone = once(response as ServerResponse, 'close')
  line.socket.destroy()
  await gone
})

it('waits for the instance’s 100 Continue before the body is sent', async () => {
  const head =
    'POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
  handle = (request, response) => void text(request).then(body => response.end(`got ${body}`))
  const willing = wire(edge, head)
  await willing.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  willing.write('ok')
  assert.match(await willing.ended(), /HTTP\/1\.1 200 OK[\s\S]*got ok$/)

  instance.server.once('checkContinue', (_, response: ServerResponse) => {
    response.writeHead(413, { 'Longhouse-Instance': 'inst_a' }).end('too much')
  })
  const refused = await wire(edge, head).ended()
  assert.match(refused, /^HTTP\/1\.1 413 [\s\S]*too much/)
  assert.doesNotMatch(refused, /100 Continue/)
})

it('sends no body where there is none', async () => {
  handle = (request, response) => {
    if (request.url === '/304') response.writeHead(304, { ETag: '"x"' }).end()
    else if (request.url === '/204') response.writeHead(204).end()
    else response.writeHead(200, { 'Content-Length': '7' }).end('content')
  }
  const head = await ask(edge, 'a.localhost', { method: 'HEAD' })
  assert.equal(head.headers['content-length'], '7')
  assert.equal(head.body, '')
  assert.equal((await ask(edge, 'a.localhost', { path: '/204' })).status, 204)
  assert.equal((await ask(edge, 'a.localhost', { path: '/304' })).headers.etag, '"x"')
  assert.equal((await ask(edge, 'a.localhost')).body, 'content')
})

it('keeps the bytes of a file name as they are', async () => {
  const name = Buffer.from('attachment; filename="grün.txt"').toString('latin1')
  handle = (_, response) =>
    void response
      .writeHead(200, ['Longhouse-Instance', 'inst_a', 'Content-Disposition', name, 'Content-Length', '1'])

      .end(Buffer.from('x'))
  const reply = await ask(edge, 'a.localhost')
  assert.equal(reply.headers['content-disposition'], name)
})

it('passes trailers of an answer on', async () => {
  handle = (_, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' })
    response.write('abc')
    response.addTrailers({ 'X-Sum': '42', 'Set-Cookie': 'a=b' })
    response.end()
  }
  const { message } = await ask(edge, 'a.localhost')
  assert.deepEqual({ ...message.trailers }, { 'x-sum': '42' })
})

it('closes the request when the client has gone, before and after the response head', async () => {
  for (const begin of [false, true]) {
    let response: ServerResponse | undefined
    handle = (_, opened) => {
      response = opened
      if (begin) opened.write('begun')
    }
    const line = wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
    const opened = await eventually(() => response)
    if (begin) await line.until(/begun/)
    const gone = once(opened, 'close')
    line.socket.destroy()
    await gone
  }
})

it('passes on that an instance’s answer was interrupted', async () => {
  handle = (_, response) => {
    response.writeHead(200, { 'Content-Length': '100' })
    response.write('part', () => response.socket?.resetAndDestroy())
  }
  const sized = await wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n').ended()
  assert.match(sized, /Content-Length: 100/)
  handle = (_, response) => void response.write('part', () => response.destroy())
  const chunked = await wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n').ended()
  assert.doesNotMatch(chunked, /\r\n0\r\n\r\n$/)
})

it('answers 504 when there is no answer in time', async () => {
  handle = () => undefined
  const reply = await ask(hasty, 'a.localhost')
  assert.equal(reply.status, 504)
  assert.equal(JSON.parse(reply.body).type, 'urn:longhouse:problem:instance-timed-out')
})

it('answers early without the rest of an upload', async () => {
  handle = (_, response) => void response.writeHead(413).end('enough')
  const outgoing = post({ 'content-length': String(4 * mebibyte) })
  const answered = once(outgoing, 'response')
  outgoing.write(Buffer.alloc(mebibyte))
  const [message] = await answered
  assert.equal(message.statusCode, 413)
  assert.equal(await text(message), 'enough')
  outgoing.destroy()
})
