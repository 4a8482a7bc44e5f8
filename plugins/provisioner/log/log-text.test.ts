import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanEntry } from './log-text.ts'

const secret = 'a-secret-of-the-customer'
const clean = (text: string, isCut?: boolean) =>
  cleanEntry({ at: null, stream: 'out', text, ...(isCut !== undefined && { isCut }) }, [secret]).text

test('where a line was cut, nothing of a secret is left', () => {
  for (let length = 1; length <= secret.length; length++) {
    const text = clean(`the key is ${secret.slice(0, length)}`, true)
    assert.match(text, /^the key is (\*\*\*)?…$/, `cut after ${length}`)
  }
  assert.equal(clean('nothing secret', true), 'nothing secret…')
  assert.equal(clean(`${secret} and more`), '*** and more')
})

test('what would act on a terminal, or turn the text around, is replaced', () => {
  const acting = [
    '\x1b',
    '\x07',
    '\r',
    '\0',
    '\x7f',
    '\x9b',
    '\u061c',
    '\u200e',
    '\u202e',
    '\u2066',
    '\u2069',
  ]
  for (const one of acting) assert.equal(clean(`a${one}b`), 'a\uFFFDb')
  assert.equal(clean('\x1b]0;title\x07 \x1b[2J'), '\uFFFD]0;title\uFFFD \uFFFD[2J')
  assert.equal(clean('a\tb\nc größer 日本 שלום 👩‍💻'), 'a\tb\nc größer 日本 שלום 👩‍💻')
  assert.equal(clean(`a-secret-\0${secret.slice(9)}`).includes(secret), false, 'a secret is not put together')
})
