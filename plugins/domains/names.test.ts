import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Site } from '../site/contract.ts'
import { readDomain } from './names.ts'

const site = { domain: 'box.example' } as Site

test('names are the same in every spelling that the DNS takes for the same', () => {
  const spellings: Record<string, string> = {
    'jobs.acme.test': 'jobs.acme.test',
    ' Jobs.ACME.Test. ': 'jobs.acme.test',
    'münchen.example': 'xn--mnchen-3ya.example',
    'MÜNCHEN.example': 'xn--mnchen-3ya.example',
    'xn--mnchen-3ya.example': 'xn--mnchen-3ya.example',
    'ｊobs。acme.test': 'jobs.acme.test',
    example: '',
    'notbox.example': 'notbox.example',
    'box.example.acme.test': 'box.example.acme.test',
  }
  for (const [typed, name] of Object.entries(spellings)) {
    const read = readDomain(site, typed)
    if (name === '') assert.ok('fault' in read, typed)
    else assert.deepEqual(read, { name }, typed)
  }
})

test('what is no name of a customer is refused, with what would be right', () => {
  const wrong: Record<string, RegExp> = {
    '': /not empty/,
    '.': /not empty/,
    'https://acme.test': /without a scheme or a path/,
    'acme.test/jobs': /without a scheme or a path/,
    'ada@acme.test': /without a scheme or a path/,
    'acme .test': /without a scheme or a path/,
    'acme.test:8080': /without a port/,
    '192.0.2.1': /not an IP address/,
    '0x7f.1': /not an IP address/,
    '127.1': /not an IP address/,
    '2001:db8::1': /not an IP address/,
    '[2001:db8::1]': /not an IP address/,
    '*.acme.test': /without \*/,
    localhost: /at least two parts/,
    'acme..test': /only letters, digits and hyphens/,
    'acme.test..': /only letters, digits and hyphens/,
    '-acme.test': /only letters, digits and hyphens/,
    'acme-.test': /only letters, digits and hyphens/,
    'ex%61mple.test': /only letters, digits and hyphens/,
    'xn--a.test': /"xn--a" stands for no letters/,
    'acme.xn--zzzzzz.test': /"xn--zzzzzz" stands for no letters/,
    'ac_me.test': /only letters, digits and hyphens/,
    'acme.123': /only letters, digits and hyphens/,
    '\u202eacme.test': /only letters, digits and hyphens/,
    [`${'a'.repeat(64)}.test`]: /only letters, digits and hyphens/,
    [`${'a.'.repeat(120)}test`]: /at most 242 characters/,
    'box.example': /must not be box\.example or a name below it/,
    'BOX.example.': /must not be box\.example or a name below it/,
    'control.box.example': /must not be box\.example or a name below it/,
    'a.b.box.example': /must not be box\.example or a name below it/,
  }
  for (const [typed, fault] of Object.entries(wrong)) {
    const read = readDomain(site, typed)
    assert.ok('fault' in read, `${typed} was taken`)
    assert.match(read.fault, fault, typed)
    assert.match(read.fault, /such as jobs\.example\.org|characters$|gives those out/, typed)
  }
})
