import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { maskSecrets, maskStream } from './mask.ts'

const html = (text: string) =>
  text.replace(/[&<>"']/g, one => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }[one]};`)
const htmlInNumbers = (text: string) =>
  text.replace(/[^A-Za-z0-9]/gu, one => `&#x${one.codePointAt(0)?.toString(16)};`)
const json = (text: string) => JSON.stringify(text).slice(1, -1)
const ascii = (text: string) =>
  json(text).replace(/[^ -~]/g, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
const hex = (text: string) => Buffer.from(text).toString('hex')
const pairs = (text: string, between: string) => hex(text).replace(/(..)(?!$)/g, `$1${between}`)
const wrapped = (text: string, columns: number, end: string) =>
  text.replace(new RegExp(`(.{${columns}})(?!$)`, 'g'), `$1${end}`)
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Each gives a text of which nothing is left when the value is masked. */
const encodings: Record<string, (value: string) => string> = {
  'as it is': value => value,
  hex,
  'hex in capitals': value => hex(value).toUpperCase(),
  'hex with colons': value => pairs(value, ':'),
  HTML: html,
  'HTML twice': value => html(html(value)),
  'HTML in numbers': htmlInNumbers,
  JSON: json,
  'JSON in ASCII': ascii,
  'JSON in JSON': value => json(json(value)),
  'JSON three times': value => json(json(json(value))),
  'JSON in an address': value => encodeURIComponent(json(value)),
  'JSON in HTML': value => html(json(value)),
  'an address': encodeURIComponent,
  'an address, small letters': value => encodeURIComponent(value).replace(/%../g, one => one.toLowerCase()),
  'an address twice': value => encodeURIComponent(encodeURIComponent(value)),
  'a form': value => new URLSearchParams([['', value]]).toString().slice(1),
  'every byte for an address': value => `%${pairs(value, '%')}`,
  base64,
  base64url: value => Buffer.from(value).toString('base64url'),
  'base64 in 64 columns': value => wrapped(base64(value), 64, '\n'),
  'base64 in 76 columns': value => wrapped(base64(value), 76, '\r\n'),
  'wrapped base64 in JSON': value => json(wrapped(base64(value), 76, '\r\n')),
  'wrapped base64 in JSON in JSON': value => json(json(wrapped(base64(value), 64, '\n'))),
  'wrapped base64, indented': value => wrapped(base64(value), 64, '\n    '),
  'base64 in an address': value => encodeURIComponent(base64(value)),
  'base64 of JSON': value => base64(json(value)),
}

/**
 * No white space at its ends, because that is not part of the secret. A final backslash can be separated from its
 * escapes only in a whole text.
 */
const secret = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...'abcXYZ019+/=&<>"\'\\-_.~%?#@: \n\t'), fc.constantFrom('ü', '€', '😀')),
    maxLength: 120,
  })
  .map(text => `k7${text}Zq`)

for (const [name, encode] of Object.entries(encodings)) {
  test(`every encoding of a value is masked: ${name}`, () => {
    fc.assert(
      fc.property(secret, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (value, sizes) => {
        const written = encode(value)
        assert.equal(maskSecrets(`[${written}]`, [value]), '[***]')
        const stream = maskStream([value])
        let told = ''
        for (let at = 0, i = 0; at < written.length + 2; i++) {
          const size = sizes[i % sizes.length] as number
          told += stream.push(`[${written}]`.slice(at, at + size))
          at += size
        }
        assert.equal(told + stream.end(), '[***]', 'in pieces')
      }),
      { numRuns: 200 },
    )
  })
}

test('masked base64 around a value leaves at most two bits of the value', () => {
  fc.assert(
    fc.property(
      secret,
      fc.string({ minLength: 0, maxLength: 7 }),
      fc.string({ maxLength: 7 }),
      fc.constantFrom('base64' as const, 'base64url' as const),
      fc.constantFrom(0, 64, 76),
      fc.integer({ min: 1, max: 200 }),
      (value, before, after, alphabet, columns, size) => {
        const encoded = Buffer.from(before + value + after).toString(alphabet)
        const lines = columns ? wrapped(encoded, columns, '\r\n') : encoded
        const from = Buffer.byteLength(before) * 8
        const to = from + Buffer.byteLength(value) * 8
        const others = (text: string) => text.replace(/[\r\n]/g, '')
        const ahead = encoded.slice(0, Math.floor(from / 6))
        const behind = encoded.slice(Math.ceil(to / 6))
        const [first, rest = '', ...more] = others(maskSecrets(lines, [value])).split('***')
        assert.ok(
          first === ahead || (from % 6 === 4 && first === encoded.slice(0, Math.ceil(from / 6))),
          `${first} for ${ahead}`,
        )
        assert.ok(rest === behind || `${rest}${behind}`.replaceAll('=', '') === '', `${rest} for ${behind}`)
        assert.deepEqual(more, [])
        const stream = maskStream([value])
        let told = ''
        for (let at = 0; at < lines.length; at += size) told += stream.push(lines.slice(at, at + size))
        const [begun = '', ended] = others(told + stream.end()).split('***')
        assert.ok((begun && begun.length <= ahead.length + 1) || begun === ahead, begun)
        assert.equal(ended, rest)
      },
    ),
    { numRuns: 500 },
  )
})

test('a value is masked in Node’s output of a buffer, and of a long text in an object', () => {
  const value = 'correct/horse+battery'.repeat(5)
  assert.match(inspect(Buffer.from(value)), /50|<Buffer/)
  assert.equal(maskSecrets(inspect(Buffer.from(value)), [value]), '<Buffer *** ... 55 more bytes>')
  const shown = inspect({ text: wrapped(base64(value), 64, '\n') })
  assert.equal(maskSecrets(shown, [value]).match(/[A-Za-z0-9+/]{9,}/), null, shown)
})

test('ordinary text passes unchanged', () => {
  const words = fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 40 })
  fc.assert(
    fc.property(
      words,
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 1, max: 60 }),
      (parts, bytes, size) => {
        const value = 'tR0ub4dor&3'
        const text = `${parts.join(' ')}\n${Buffer.from(bytes).toString('base64')}\n${Buffer.from(bytes).toString('hex')}\n`
        assert.equal(maskSecrets(text, [value]), text)
        const stream = maskStream([value])
        let told = ''
        for (let at = 0; at < text.length; at += size) told += stream.push(text.slice(at, at + size))
        assert.equal(told + stream.end(), text)
      },
    ),
    { numRuns: 300 },
  )
  for (const short of ['1', 'ab', 'x&y']) {
    const text = ['31 6162 782679', base64(short), html(short), encodeURIComponent(short), short].join(' ')
    assert.equal(maskSecrets(text, [short]), text, 'too short to be told from chance')
  }
})

test('a run of backslashes or an unfinished escape is emitted soon', () => {
  const stream = maskStream(['pass"word\\here'])
  let told = 0
  for (let i = 0; i < 100; i++) told += stream.push(`pass${'\\'.repeat(1000)}`).length
  assert.ok(told > 100_000, `${told} of 100400`)
})
