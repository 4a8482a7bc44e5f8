import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from './edge.fixture.ts'
import { ask, eventually, type Instance, listening, route, startInstance, wire } from './wire.fixture.ts'

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

describe('what reaches an instance, and what comes back', () => {
  let edge: Edge
  let echo: Instance

  before(async () => {
    edge = await startEdge()
    echo = await startInstance('inst_echo', (request, response) => void reflect(request, response))
    route(edge, 'echo', echo)
  })
  after(async () => {
    await edge.stop()
    await echo.close()
  })

  const reflect = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    response.writeHead(207, 'Fine By Me', {
      'X-Ours': 'kept',
      Connection: 'x-hop',
      'X-Hop': 'dropped',
      'Proxy-Authenticate': 'dropped',
      'Set-Cookie': ['a=1', 'b=2'],
      'Content-Type': 'application/json',
    })
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        raw: request.rawHeaders,
        headers: request.headers,
        trailers: request.trailers,
        body,
      }),
    )
  }

  const seen = async (headers: Record<string, string>, via: Edge = edge) =>
    JSON.parse((await ask(via, 'echo.localhost', { headers })).body).headers as Record<string, string>

  it('passes method, target, body, status, reason and headers on', async () => {
    const reply = await ask(edge, 'echo.localhost', {
      method: 'PATCH',
      path: '//a%2Fb/../c?x=%00&y=é'.replace('é', '%C3%A9'),
      headers: { 'x-mine': 'kept', 'content-type': 'text/plain', 'content-length': '5' },
      body: 'hello',
    })
    assert.equal(reply.status, 207)
    assert.equal(reply.message.statusMessage, 'Fine By Me')
    assert.equal(reply.headers['x-ours'], 'kept')
    assert.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
    const got = JSON.parse(reply.body)
    assert.equal(got.method, 'PATCH')
    assert.equal(got.url, '//a%2Fb/../c?x=%00&y=%C3%A9')
    assert.equal(got.body, 'hello')
    assert.equal(got.headers['x-mine'], 'kept')
    assert.equal(got.headers.host, 'echo.localhost')
  })

  it('ends hop-by-hop headers here, listed ones too, both ways', async () => {
    const reply = await wire(
      edge,
      [
        'GET / HTTP/1.1',
        'Host: echo.localhost',
        'Connection: close, X-Secret-Hop, Content-Length, Host',
        'X-Secret-Hop: 1',
        'Keep-Alive: timeout=1',
        'Proxy-Authorization: Basic eDp5',
        'Proxy-Connection: close',
        'TE: trailers',
        'X-End: 1\r\n\r\n',
      ].join('\r\n'),
    ).ended()
    const { headers } = JSON.parse(/\{[\s\S]*\}/.exec(reply)?.[0] ?? '')
    for (const name of ['x-secret-hop', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te']) {
      assert.equal(headers[name], undefined, name)
    }
    assert.equal(headers.connection, 'keep-alive')
    assert.equal(headers['x-end'], '1')
    assert.equal(headers.host, 'echo.localhost')
    assert.doesNotMatch(reply, /dropped|x-hop/i)
  })

  it('says who asks, and believes nobody else about it', async () => {
    const got = await seen({
      'x-forwarded-for': '6.6.6.6',
      'X-FORWARDED-PROTO': 'https',
      'x-forwarded-host': 'bank.example',
      'x-forwarded-port': '443',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'longhouse-instance': 'inst_other',
    })
    assert.equal(got['x-forwarded-for'], '127.0.0.1')
    assert.equal(got['x-forwarded-proto'], 'http')
    assert.equal(got['x-forwarded-host'], 'echo.localhost')
    assert.equal(got['longhouse-instance'], 'inst_echo')
    for (const name of ['x-forwarded-port', 'x-real-ip', 'forwarded'])
      assert.equal(got[name], undefined, name)
  })

  it('believes configured proxies, and one on loopback in mode behind', async () => {
    const said = {
      'x-forwarded-for': '6.6.6.6, 198.51.100.7, 10.1.2.3',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'echo.example',
      'x-forwarded-port': '443',
    }
    for (const env of [
      { LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' },
      { ROUTER_MODE: 'behind', LONGHOUSE_TRUSTED_PROXIES: '10.0.0.0/8' },
    ]) {
      const behind = await startEdge(env)
      route(behind, 'echo', echo)
      const got = await seen(said, behind)
      assert.equal(got['x-forwarded-for'], '198.51.100.7')
      assert.equal(got['x-forwarded-proto'], 'https')
      assert.equal(got['x-forwarded-host'], 'echo.example')
      assert.equal(got['x-forwarded-port'], '443')
      await behind.stop()
    }
  })

  it('does not let a header value become a header', async () => {
    const answer = await wire(
      edge,
      'GET / HTTP/1.1\r\nHost: echo.localhost\r\nX-A: b\rLonghouse-Instance: inst_other\r\nConnection: close\r\n\r\n',
    ).ended()
    assert.match(answer, /^HTTP\/1\.1 400 /)
    const got = await seen({ 'x-umlaut': 'gr\u00fc\u00df' })
    assert.equal(got['x-umlaut'], 'gr\u00fc\u00df')
  })

  it('refuses what could be read as two requests', async () => {
    const host = 'Host: echo.localhost\r\n'
    const before = echo.asked.length
    for (const head of [
      'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
      'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
      'Content-Length: +4\r\n\r\nabcd',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n',
    ]) {
      const answer = await wire(edge, `POST / HTTP/1.1\r\n${host}Connection: close\r\n${head}`).ended()
      assert.match(answer, /^HTTP\/1\.1 (400|501|502) /, head)
      assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, head)
    }
    const coded = `POST / HTTP/1.1\r\n${host}Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`
    assert.match(await wire(edge, coded).ended(), /^HTTP\/1\.1 501 /)
    assert.ok(echo.asked.length <= before + 1)
    assert.equal((await ask(edge, 'echo.localhost')).status, 207)
  })

  it('refuses a head that is too large', async () => {
    const filler = `X-Filler: ${'x'.repeat(20_000)}\r\n`
    const answer = await wire(edge, `GET / HTTP/1.1\r\nHost: echo.localhost\r\n${filler}\r\n`).ended()
    assert.match(answer, /^HTTP\/1\.1 431 /)
  })

  it('passes trailers on, except those that mean more than they say', async () => {
    const answer = await wire(
      edge,
      'POST / HTTP/1.1\r\nHost: echo.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '3\r\nabc\r\n0\r\nX-Sum: 42\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n',
    ).ended()
    const got = JSON.parse(/\{[\s\S]*\}/.exec(answer)?.[0] ?? '')
    assert.equal(got.body, 'abc')
    assert.deepEqual(got.trailers, { 'x-sum': '42' })
  })

  it('keeps a cookie to the instance that sets it', async () => {
    const baker = await startInstance('inst_baker', (_, response) => {
      response.setHeader('Set-Cookie', [
        'a=1; Domain=.localhost; Path=/',
        'b=domain; path=/; domain = localhost',
        'c=3; HttpOnly',
      ])
      response.end()
    })
    route(edge, 'baker', baker)
    const { headers } = await ask(edge, 'baker.localhost')
    assert.deepEqual(headers['set-cookie'], ['a=1; Path=/', 'b=domain; path=/', 'c=3; HttpOnly'])
    await baker.close()
  })

  it('answers pipelined requests in order', async () => {
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: echo.localhost\r\n\r\n`
    const line = wire(edge, one('/1') + one('/2') + one('/3'))
    await line.until(/"\/1"[\s\S]*"\/2"[\s\S]*"\/3"/)
    line.socket.destroy()
  })
})

describe('bodies pass as they come', () => {
  let edge: Edge
  let instance: Instance
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {}

  before(async () => {
    edge = await startEdge({ ROUTER_RESPONSE_TIMEOUT: '400ms' })
    instance = await startInstance('inst_a', (request, response) => handle(request, response))
    route(edge, 'a', instance)
  })
  after(async () => {
    await edge.stop()
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

  it('streams 50 MB up, and takes no more of it than the instance does', async () => {
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
    const line = wire(edge, 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n')
    await line.until(/text\/event-stream[\s\S]*\r\n\r\n/)
    for (const n of [1, 2, 3]) {
      response?.write(`data: ${n}\n\n`)
      await line.until(new RegExp(`data: ${n}\n\n`))
    }
    // An answer that has begun may take longer than one may take to begin.
    assert.equal((await ask(edge, 'a.localhost', { path: '/never' })).status, 504)
    response?.write('data: late\n\n')
    await line.until(/data: late/)
    const gone = once(response as ServerResponse, 'close')
    line.socket.destroy()
    await gone
  })

  it('waits for the go-ahead of the instance before a body is sent', async () => {
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

  it('tells the instance when the client has gone, before and after its head', async () => {
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

  it('cuts an answer short for the client where the instance did', async () => {
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
    const reply = await ask(edge, 'a.localhost')
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
})

describe('instances that fail', () => {
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
      socket.on('data', () => {
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
      close: async () => {
        for (const socket of sockets) socket.destroy()
        await new Promise(resolve => server.close(resolve))
      },
    }
  }
  const good = 'HTTP/1.1 200 OK\r\nLonghouse-Instance: inst_raw\r\nContent-Length: 2\r\n\r\nok'

  it('answers 502 when nothing listens, and asks for the address to be looked up', async () => {
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

  it('answers 502 to what is no HTTP, or closes first', async () => {
    const raw = await scripted(
      'SSH-2.0-OpenSSH\r\n\r\n',
      null,
      'HTTP/1.1 101 Sure\r\nLonghouse-Instance: inst_raw\r\n\r\n',
    )
    for (let i = 0; i < 3; i++) assert.equal((await ask(edge, 'raw.localhost')).status, 502, String(i))
    await raw.close()
  })

  it('asks once more when an idle connection turns out to be closed', async () => {
    const raw = await scripted(good, null, good)
    assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
    assert.equal((await ask(edge, 'raw.localhost')).body, 'ok')
    assert.equal(raw.connections(), 2)
    await raw.close()
  })

  it('asks once more only where that is safe, and only once', async () => {
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

  it('never shows an answer that is not the instance’s own', async () => {
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

  it('shows neither of two tenants the other when their ports are swapped', async () => {
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
})
