import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { AnswerReader } from './answer-reader.ts'
import { bytes, oneByOne, read } from './answers.fixture.ts'

test('what is accepted is understood as Node’s own parser does', async t => {
  let answer = Buffer.alloc(0)
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  let compared = 0
  await fc.assert(
    fc.asyncProperty(answers(), async text => {
      const found = read([bytes(text)])
      if (typeof found === 'string' || !found.whole) return
      answer = bytes(text.slice(0, lengthOf(text)))
      const theirs = await askNode(port)
      assert.deepEqual(theirs, {
        status: found.status,
        headers: found.headers,
        body: found.body,
        trailers: found.trailers,
        informed: found.informed,
      })
      compared++
    }),
    { numRuns: 800 },
  )
  assert.ok(compared > 200, `only ${compared} answers were whole`)
})

/** How many characters of the text belong to the first answer. */
function lengthOf(text: string): number {
  const nothing = () => undefined
  const reader = new AnswerReader(
    { information: nothing, switched: nothing, head: nothing, data: nothing, end: nothing },
    'GET',
  )
  const end = oneByOne(text).findIndex(byte => {
    reader.read(byte)
    return reader.over
  })
  return end < 0 ? text.length : end + 1
}

/** What Node's client understands. */
async function askNode(port: number) {
  const informed: number[] = []
  const outgoing = request({ host: '127.0.0.1', port, agent: false })
  outgoing.on('information', ({ statusCode }) => informed.push(statusCode))
  outgoing.end()
  const [message] = await once(outgoing, 'response')
  let body = ''
  for await (const chunk of message.setEncoding('latin1')) body += chunk
  return {
    status: message.statusCode,
    headers: message.rawHeaders,
    body,
    trailers: message.rawTrailers,
    informed,
  }
}

/** Answers that are nearly right: whole ones, with a few bytes removed, doubled or replaced by those that matter to a parser. */
function answers(): fc.Arbitrary<string> {
  const field = fc.constantFrom(
    'Date: x',
    'Content-Length: 5',
    'Content-Length: 0',
    'content-length: 05',
    'Transfer-Encoding: chunked',
    'transfer-encoding:chunked ',
    'Connection: close',
    'Connection: keep-alive, upgrade',
    'Set-Cookie: a=b; c',
    'X: \xe9\t',
    'Y:',
    'Trailer: T',
  )
  const body = fc.constantFrom(
    '',
    'hello',
    'hello, and more',
    '5\r\nhello\r\n0\r\n\r\n',
    '2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: x\r\n\r\n',
    '0\r\n\r\n',
    '000\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  )
  const status = fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.1 404 ',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No',
    'HTTP/1.1 304 x',
    'HTTP/1.1 599 \xe9',
  )
  const before = fc.constantFrom('', '', '', 'HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\n')
  const damage = fc.array(
    fc.record({
      at: fc.nat(160),
      remove: fc.nat(2),
      insert: fc.constantFrom(
        '',
        '',
        '\r',
        '\n',
        '\r\n',
        ' ',
        '\t',
        ':',
        '0',
        '5',
        ';',
        ',',
        '\0',
        'a',
        '\xff',
      ),
    }),
    { maxLength: 2 },
  )
  return fc
    .tuple(before, status, fc.array(field, { maxLength: 4 }), body, damage)
    .map(([early, line, fields, rest, damages]) => {
      let text = `${early}${[line, ...fields].join('\r\n')}\r\n\r\n${rest}`
      for (const { at, remove, insert } of damages)
        text = text.slice(0, at) + insert + text.slice(at + remove)
      return text
    })
}
