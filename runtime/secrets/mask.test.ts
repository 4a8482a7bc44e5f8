import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maskSecrets, maskStream } from './mask.ts'

test('every value is masked, the longest first, and in the forms that logs show it in', () => {
  assert.equal(maskSecrets('a hunter22 b hunter2', ['hunter2', 'hunter22']), 'a *** b ***')
  assert.equal(maskSecrets('{"key":"a\\"b\\\\c"} a%22b%5Cc', ['a"b\\c']), '{"key":"***"} ***')
  assert.equal(maskSecrets('-- first line --\nlast line', ['first line\nlast line']), '-- *** --\n***')
  assert.equal(maskSecrets('(a+b)* $& x', ['(a+b)*', '$& x']), '*** ***')
  assert.equal(maskSecrets('1 of 10 is 1', ['1', '']), '1 of 10 is 1', 'too short to be told from chance')
  assert.equal(maskSecrets('nothing here', []), 'nothing here')
})

test('a value that comes in pieces is masked, and everything else comes through', () => {
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

test('little is held back', () => {
  const stream = maskStream(['topsecret'])
  assert.equal(stream.push('line\n'), 'line\n')
  assert.equal(stream.push('and top'), 'and ')
  assert.equal(stream.push('secret, and'), '***, and')
  assert.equal(stream.end(), '')
})
