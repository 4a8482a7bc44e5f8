import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { maskSecrets, maskStream } from './mask.ts'

test('every value is masked, the longest first, in all forms that logs contain', () => {
  assert.equal(maskSecrets('a hunter22 b hunter2', ['hunter2', 'hunter22']), 'a *** b ***')
  assert.equal(maskSecrets('{"key":"a\\"b\\\\c"} a%22b%5Cc', ['a"b\\c']), '{"key":"***"} ***')
  assert.equal(maskSecrets('-- first line --\nlast line', ['first line\nlast line']), '-- *** --\n***')
  assert.equal(maskSecrets('(a+b)* $& x', ['(a+b)*', '$& x']), '*** ***')
  assert.equal(maskSecrets('1 of 10 is 1', ['1', '']), '1 of 10 is 1', 'too short to be told from chance')
  assert.equal(maskSecrets('nothing here', []), 'nothing here')
})

test('a value within an encoded text is masked', () => {
  const password = 'correct horse?~ü'
  for (const user of ['a', 'ab', 'abc']) {
    const text = `Authorization: Basic ${Buffer.from(`${user}:${password}!`).toString('base64')} sent`
    const masked = maskSecrets(text, [password])
    assert.match(masked, /^Authorization: Basic [\w+/]{1,8}\*\*\*[\w+/=]{1,6} sent$/)
    const inUrl = Buffer.from(`${user}:${password}`).toString('base64url')
    assert.match(maskSecrets(inUrl, [password]), /\*\*\*/)
  }
  assert.equal(maskSecrets(`?key=${new URLSearchParams({ password })}`, [password]), '?key=password=***')
})

test('a long value is masked in a long log, and the rest of the log is unchanged', t => {
  const lines = Array.from({ length: 500 }, (_, i) => createHash('sha384').update(String(i)).digest('base64'))
  const key = lines.join('\n')
  const stream = maskStream([key])
  const chunk = 'a line of eighty characters or so, as programs like to write them to logs\n'.repeat(850)
  const began = performance.now()
  let told = 0
  for (let i = 0; i < 20; i++) told += stream.push(chunk).length
  t.diagnostic(`${Math.round((performance.now() - began) / 20)} ms for 64 KiB`)
  assert.equal(told + stream.end().length, chunk.length * 20)
  assert.equal(stream.push(`${key}\n`) + stream.end(), '***\n')
})

test('a value split into pieces is masked, and all other text is emitted', () => {
  const letters = fc.constantFrom('a', 'b', 's')
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: letters, minLength: 4, maxLength: 9 }), { maxLength: 3 }),
      fc.array(fc.string({ unit: letters, maxLength: 12 }), { maxLength: 12 }),
      (values, pieces) => {
        const stream = maskStream(values)
        const told = pieces.map(piece => stream.push(piece)).join('') + stream.end()
        for (const value of values) assert.ok(!told.includes(value), `${told} shows ${value}`)
        if (values.every(value => !pieces.join('').includes(value))) assert.equal(told, pieces.join(''))
      },
    ),
    { numRuns: 500 },
  )
})

test('the stream keeps only a few characters pending', () => {
  const stream = maskStream(['topsecret'])
  assert.equal(stream.push('line\n'), 'line\n')
  assert.equal(stream.push('and top'), 'and ')
  assert.equal(stream.push('secret, or'), '***, or')
  assert.equal(stream.end(), '')
})
