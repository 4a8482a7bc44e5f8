import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { UnreadableAnswer } from './answer-head.ts'
import { AnswerReader } from './answer-reader.ts'

interface Reading {
  informed: number[]
  status: number
  headers: string[]
  body: string
  trailers: string[]
  whole: boolean
  reusable: boolean
}

/** Reads the pieces as one connection brings them, closes it, and says what was understood; the fault when nothing was. */
function read(pieces: readonly Buffer[], method = 'GET'): Reading | string {
  const found: Reading = {
    informed: [],
    status: 0,
    headers: [],
    body: '',
    trailers: [],
    whole: false,
    reusable: false,
  }
  const reader = new AnswerReader(
    {
      information: ({ status }) => void found.informed.push(status),
      switched: () => assert.fail('nothing asked to switch'),
      head: ({ status, headers }) => Object.assign(found, { status, headers }),
      data: chunk => {
        found.body += chunk.toString('latin1')
      },
      end: trailers => Object.assign(found, { trailers, whole: true }),
    },
    method,
  )
  try {
    for (const piece of pieces) reader.read(piece)
    found.reusable = reader.reusable
    reader.close()
    return found
  } catch (error) {
    if (error instanceof UnreadableAnswer) return error.message
    throw error
  }
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const oneByOne = (text: string) => [...bytes(text)].map(byte => Buffer.of(byte))

const head = 'HTTP/1.1 200 OK\r\n'
const whole = { informed: [], trailers: [], whole: true, status: 200 }

describe('an answer is understood alike however its bytes are split', () => {
  const answers: [name: string, text: string, found: Partial<Reading>, method?: string][] = [
    [
      'a length',
      `${head}A: b\r\nContent-Length: 2\r\n\r\nhi`,
      { ...whole, headers: ['A', 'b', 'Content-Length', '2'], body: 'hi', reusable: true },
    ],
    [
      'chunks with extensions and trailers',
      `${head}Transfer-Encoding: Chunked\r\n\r\n2;a="b"\r\nhi\r\n01\r\n!\r\n0\r\nT: x\r\nU:\r\n\r\n`,
      { ...whole, body: 'hi!', trailers: ['T', 'x', 'U', ''], reusable: true },
    ],
    [
      'no framing: to the end of the connection',
      `${head}\r\nall of it`,
      { ...whole, body: 'all of it', reusable: false },
    ],
    [
      'HTTP/1.0 keeps no connection',
      'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi',
      { ...whole, body: 'hi', reusable: false },
    ],
    [
      'Connection: close',
      `${head}Connection: Keep-Alive, CLOSE\r\nContent-Length: 0\r\n\r\n`,
      { ...whole, body: '', reusable: false },
    ],
    ['no reason', 'HTTP/1.1 204 \r\n\r\n', { status: 204, whole: true, body: '', reusable: true }],
    [
      '204 has no body, whatever it says',
      'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n',
      { status: 204, whole: true, reusable: true },
    ],
    [
      '304 has no body',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'.replace(
        'Transfer-Encoding: chunked\r\n',
        '',
      ),
      { status: 304, whole: true, reusable: true },
    ],
    [
      'HEAD has no body',
      `${head}Content-Length: 500\r\n\r\n`,
      { ...whole, body: '', reusable: true },
      'HEAD',
    ],
    [
      'HEAD has no chunks',
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      { ...whole, body: '', reusable: true },
      'HEAD',
    ],
    [
      'answers before the answer',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${head}Content-Length: 0\r\n\r\n`,
      { ...whole, informed: [100, 103], reusable: true },
    ],
    [
      'bytes in latin1, tabs and spaces around values',
      `${head}A: \t caf\xe9 \t\r\nContent-Length: 1\r\n\r\n\xff`,
      { ...whole, headers: ['A', 'caf\xe9', 'Content-Length', '1'], body: '\xff' },
    ],
    [
      'surplus bytes end the connection',
      `${head}Content-Length: 2\r\n\r\nhi${head}Content-Length: 4\r\n\r\nevil`,
      { ...whole, body: 'hi', reusable: false },
    ],
    [
      'a body that is cut short is not whole',
      `${head}Content-Length: 9\r\n\r\nhi`,
      { status: 200, body: 'hi', whole: false, reusable: false },
    ],
    [
      'chunks that are cut short are not whole',
      `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
      { status: 200, body: 'hi', whole: false },
    ],
    ['a head that is cut short is no answer', head, { status: 0, whole: false }],
  ]
  for (const [name, text, expected, method] of answers) {
    it(name, () => {
      for (const pieces of [[bytes(text)], oneByOne(text)]) {
        const found = read(pieces, method)
        assert.ok(typeof found === 'object', String(found))
        assert.partialDeepStrictEqual(found, expected)
      }
      fc.assert(
        fc.property(fc.array(fc.nat(text.length), { maxLength: 5 }), cuts => {
          assert.deepEqual(read(split(text, cuts), method), read(oneByOne(text), method))
        }),
        { numRuns: 30 },
      )
    })
  }
})

describe('what could be read in two ways is refused', () => {
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
  for (const [name, text, fault] of [
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', /status line/],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n', /status line/],
    ['lower case', 'http/1.1 200 OK\r\n\r\n', /status line/],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', /status line/],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /status line/],
    ['a status beyond 599', 'HTTP/1.1 600 OK\r\n\r\n', /status line/],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n', /status line/],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', /status line/],
    ['an empty line first', `\r\n${head}\r\n`, /status line/],
    ['a bare LF after the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n', /status line/],
    ['a bare LF in a value', `${head}A: b\nContent-Length: 3\r\n\r\n`, /control characters/],
    ['a bare CR in a value', `${head}A: b\rContent-Length: 3\r\n\r\n`, /control characters/],
    ['NUL in a value', `${head}A: b\0\r\n\r\n`, /control characters/],
    ['a folded value', `${head}A: b\r\n c: d\r\n\r\n`, /name of a field/],
    ['a space before the colon', `${head}Content-Length : 3\r\n\r\n`, /name of a field/],
    ['no name', `${head}: b\r\n\r\n`, /name of a field/],
    ['no colon', `${head}Content-Length\r\nA: b\r\n\r\n`, /no field/],
    ['a name in latin1', `${head}Caf\xe9: b\r\n\r\n`, /name of a field/],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`, /Content-Length/],
    ['a list of lengths', `${head}Content-Length: 2, 2\r\n\r\nhi`, /Content-Length/],
    ['a signed length', `${head}Content-Length: +2\r\n\r\nhi`, /Content-Length/],
    ['a hexadecimal length', `${head}Content-Length: 0x2\r\n\r\nhi`, /Content-Length/],
    ['an empty length', `${head}Content-Length:\r\n\r\nhi`, /Content-Length/],
    [
      'a length beyond what can be counted',
      `${head}Content-Length: 9007199254740993\r\n\r\n`,
      /Content-Length/,
    ],
    [
      'a length and chunks',
      `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /and a Transfer-Encoding/,
    ],
    ['white space around a coding', `${head}Transfer-Encoding: chunked\t\r\n\r\n`, /space around/],
    ['white space around a length', `${head}Content-Length:  2 \r\n\r\nhi`, /space around/],
    ['another coding', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n`, /not chunked/],
    [
      'chunked twice',
      `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /not chunked/,
    ],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /HTTP\/1\.0/],
    ['an unasked switch of protocols', 'HTTP/1.1 101 Switching\r\nUpgrade: a\r\n\r\n', /not asked for/],
    ['a chunk without a size', `${chunked};a\r\n`, /size of a chunk/],
    ['a chunk size that is no number', `${chunked}zz\r\n`, /size of a chunk/],
    ['a negative chunk size', `${chunked}-2\r\nhi\r\n0\r\n\r\n`, /size of a chunk/],
    ['a chunk size with 0x', `${chunked}0x2\r\nhi\r\n0\r\n\r\n`, /size of a chunk/],
    ['a chunk size ended by LF', `${chunked}2\nhi\r\n0\r\n\r\n`, /size of a chunk/],
    ['a chunk size beyond what can be counted', `${chunked}10000000000002\r\nhi\r\n`, /size of a chunk/],
    ['a chunk longer than its size', `${chunked}2\r\nhi!\r\n0\r\n\r\n`, /longer than its size|too large/],
    ['a chunk ended by LF', `${chunked}2\r\nhi\n0\r\n\r\n`, /longer than its size|too large/],
    ['a trailer that is no field', `${chunked}0\r\nnothing\r\n\r\n`, /no field/],
    ['a head without end', `${head}${'A: b\r\n'.repeat(6000)}`, /too large/],
    ['a head that is too large', `${head}A: ${'b'.repeat(33_000)}\r\n\r\n`, /too large/],
    ['a chunk extension without end', `${chunked}2;${'a'.repeat(2000)}`, /too large/],
    ['trailers without end', `${chunked}0\r\n${'A: b\r\n'.repeat(6000)}`, /too large/],
    ['HTTP/1.0 before the answer', `HTTP/1.0 103 Early\r\n\r\n${head}\r\n`, /before it has a body/],
    [
      'a body before the answer',
      `HTTP/1.1 103 Early\r\nContent-Length: 0\r\n\r\n${head}\r\n`,
      /before it has a body/,
    ],
    ['answers before the answer without end', `HTTP/1.1 102 Processing\r\n\r\n`.repeat(40), /never comes/],
  ] as const) {
    it(name, () => {
      for (const pieces of [[bytes(text)], oneByOne(text)]) {
        const found = read(pieces)
        assert.match(typeof found === 'string' ? found : JSON.stringify(found), fault)
      }
    })
  }
})

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

function split(text: string, cuts: readonly number[]): Buffer[] {
  const all = bytes(text)
  const at = [0, ...[...cuts].sort((a, b) => a - b), all.length]
  return at.slice(1).map((end, i) => all.subarray(at[i], end))
}
