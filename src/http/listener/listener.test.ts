import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../testing/eventually.ts'
import { createListener, idle, type ListenerOptions } from './listener.ts'
import { closeServer, openServer } from './server.ts'

interface Line {
  write(text: string): void
  received(): string
  /** Resolves with all that was received when the other side has ended the connection. */
  ended(): Promise<string>
}

async function serve(t: TestContext, options: Partial<ListenerOptions> = {}) {
  const asked: string[] = []
  const held: (() => void)[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`)
    let bytes = 0
    request.on('data', piece => {
      bytes += piece.length
    })
    const reply = () => response.end(`${request.method} ${request.url} took ${bytes}`)
    if (request.url === '/held') held.push(reply)
    // One without a body emits nothing.
    else if (request.readableEnded) reply()
    else request.on('end', reply)
  }
  const expect = (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue()
    answer(request, response)
  }
  const server = createListener({ answer, expect, named: { 'X-Named': 'yes' }, ...options })
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server, { graceMs: 0 }))
  const dial = (first: string): Line => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1').on('data', piece => {
      received += piece
    })
    socket.on('error', () => {})
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    t.after(() => socket.destroy())
    socket.write(first, 'latin1')
    return {
      write: text => void socket.write(text, 'latin1'),
      received: () => received,
      ended: () => closed.then(() => received),
    }
  }
  return { asked, held, dial, release: () => held.splice(0).forEach(reply => void reply()) }
}

const post = 'POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n'

test('an idle connection stays open longer than proxies keep theirs, and our pool closes its own first', async t => {
  const { dial } = await serve(t)
  const line = dial('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await eventually('it answers', () => line.received().includes('took'))
  const seconds = Number(/^keep-alive: timeout=(\d+)/im.exec(line.received())?.[1])
  assert.ok(seconds > 125, `${seconds} s`)
  assert.ok(idle.poolMs * 2 < idle.serverMs)
})

test('an HTTP/1.0 request with a Transfer-Encoding is refused, and nothing after it is read', async t => {
  const { asked, dial } = await serve(t)
  for (const keep of ['', 'Connection: keep-alive\r\n']) {
    const line = dial(
      `POST / HTTP/1.0\r\nHost: a\r\n${keep}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    const answer = await line.ended()
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*^connection: close\r$/im)
    assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1)
  }
  assert.deepEqual(asked, [])
})

test('a version other than 1.0 and 1.1 is refused, whatever the request', async t => {
  const { asked, dial } = await serve(t, { upgrade: () => assert.fail('no upgrade is asked for') })
  for (const [text, status] of [
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['POST / HTTP/2.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nab', 505],
    ['POST / HTTP/2.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n', 505],
    ['GET / HTTP/2.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 505],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['GET / HTTP/0.9\r\nHost: a\r\n\r\n', 505],
    ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
    ['GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
    ['GET / http/1.1\r\nHost: a\r\n\r\n', 400],
    ['GET /\r\n\r\n', 505],
  ] as const) {
    const answer = await dial(text).ended()
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), text)
    assert.match(answer, /^x-named: yes\r$/im, text)
    assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, text)
  }
  assert.deepEqual(asked, [])
})

test('bytes after a complete request do not change its response, and close the connection after it', async t => {
  const { held, dial, release } = await serve(t)
  for (const [head, rest] of [
    [`${post}\r\n`, 'ab\r\n\r\nrubbish\r\n\r\n'],
    [`${post}Connection: close\r\n\r\n`, 'abc'],
    [`${post}Connection: close\r\n\r\n`, 'abGET /more HTTP/1.1\r\nHost: a\r\n\r\n'],
    [`${post}\r\n`, `abGET / HTTP/1.1\r\nLong: ${'x'.repeat(70_000)}\r\n\r\n`],
    [`${post}\r\n`, 'ab\x16\x03\x01\x02'],
  ] as const) {
    for (const together of [true, false]) {
      const line = dial(together ? head + rest : head)
      if (!together) {
        await eventually('it is asked', () => held.length === 1)
        line.write(rest)
      }
      await eventually('it is asked', () => held.length === 1)
      line.write('and more rubbish')
      // Only once the server has had the time to read all that: it answers another request meanwhile.
      await eventually('others are served', async () =>
        /took 0/.test(await dial('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').ended()),
      )
      release()
      const answer = await line.ended()
      assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*POST \/held took 2/, rest)
      assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, rest)
    }
  }
})

test('what follows an offer of another protocol that is not taken is no request', async t => {
  const { asked, dial } = await serve(t)
  const offer = 'Connection: Upgrade\r\nUpgrade: h2c\r\n'
  const next = 'POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n'
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
  for (const first of [
    `GET / HTTP/1.1\r\nHost: a\r\n${offer}\r\n`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${offer}\r\nab`,
  ]) {
    const line = dial(first + next)
    line.write(smuggled)
    assert.match(
      await line.ended(),
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]* \/ took [02]$/,
    )
  }
  assert.deepEqual(asked, ['GET /', 'POST /'])
})

test('an upgrade or CONNECT behind a request that is not answered yet ends the connection after that answer', async t => {
  const { held, dial, release } = await serve(t, { upgrade: () => assert.fail('it is not served') })
  for (const last of [
    'GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n',
  ]) {
    const line = dial(`${post}\r\nab${post}\r\ncd${last}`)
    await eventually('both are asked', () => held.length === 2)
    release()
    const answers = await line.ended()
    assert.match(answers, /^HTTP\/1\.1 200 [\s\S]*took 2HTTP\/1\.1 200 [\s\S]*took 2$/)
  }
})

test('an expectation keeps no request behind it from its answer', async t => {
  const { asked, dial } = await serve(t, { expect: (_, response) => void response.end('unread') })
  const expecting = 'HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n'
  const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const bare = await dial(`GET /bare ${expecting}\r\n${last}`).ended()
  assert.match(bare, /^HTTP\/1\.1 100 [\s\S]*GET \/bare took 0HTTP\/1\.1 200 [\s\S]*GET \/last took 0$/)
  // An answer before the body ends the connection: nothing behind it is passed on.
  const unread = await dial(`POST /body ${expecting}Content-Length: 2\r\n\r\nab${last}`).ended()
  assert.match(unread, /^HTTP\/1\.1 200 [\s\S]*Connection: close\r\n[\s\S]*unread$/)
  assert.deepEqual(asked, ['GET /bare', 'GET /last'])
})

test('empty lines after a body are not a request', async t => {
  const { dial } = await serve(t)
  const line = dial('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n')
  await eventually('it answers', () => line.received().includes('took 2'))
  line.write('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(await line.ended(), /took 2[\s\S]*200 OK[\s\S]*GET \/next took 0/)
})

test('an unreadable body is refused, and never takes the place of the previous request’s response', async t => {
  const { held, dial, release } = await serve(t)
  const broken = 'POST /held HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
  assert.match(await dial(broken).ended(), /^HTTP\/1\.1 400 /)
  held.splice(0)
  const line = dial(`${post}\r\nab${broken}`)
  await eventually('both are asked', () => held.length === 2)
  release()
  const answer = await line.ended()
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*took 2/)
  assert.doesNotMatch(answer, /HTTP\/1\.1 400/)
})

test('a browser with many cookies is served; beyond the limit its cookies are deleted, and a long address alone is refused', async t => {
  const { dial } = await serve(t, { page: ({ title, detail }) => `<h1>${title}</h1>${detail}` })
  const cookies = (count: number) =>
    `Cookie: ${Array.from({ length: count }, (_, i) => `planted_${i}=${'x'.repeat(4000)}`).join('; ')}\r\n`
  const get = (path: string, headers: string) =>
    dial(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`).ended()
  assert.match(await get('/', cookies(12)), /^HTTP\/1\.1 200 /)

  const full = await get('/', cookies(40))
  assert.match(full, /^HTTP\/1\.1 431 /)
  assert.match(full, /^clear-site-data: "cookies"\r$/im)
  assert.match(full, /text\/html[\s\S]*<h1>.*more cookies than can be read/)

  for (const [path, headers] of [
    [`/?${'a=b;%20c=d;'.repeat(9000)}`, ''],
    ['/', `Referer: http://a/?${'x=1;y=2&'.repeat(12_000)}\r\n`],
  ] as const) {
    const long = await get(path, headers)
    assert.match(long, /^HTTP\/1\.1 431 [\s\S]*64 KiB/)
    assert.doesNotMatch(long, /clear-site-data/i)
  }
})
