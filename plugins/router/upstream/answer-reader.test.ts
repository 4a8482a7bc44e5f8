import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bytes, oneByOne, type Reading, read } from './answers.fixture.ts'

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

function split(text: string, cuts: readonly number[]): Buffer[] {
  const all = bytes(text)
  const at = [0, ...[...cuts].sort((a, b) => a - b), all.length]
  return at.slice(1).map((end, i) => all.subarray(at[i], end))
}
