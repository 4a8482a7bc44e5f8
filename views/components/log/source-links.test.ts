import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TerminalText } from './terminal-text.tsx'

const links = (text: string) =>
  [...String(TerminalText({ text })).matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].map(([, href, words]) => [
    href?.replaceAll('&amp;', '&'),
    words,
  ])

test('a file and line in the jobs repo becomes a link to it', () => {
  assert.deepEqual(links('    at run (jobs/report.ts:12:7)\n    at async manifest.ts:3'), [
    ['/repo/files/jobs/report.ts?line=12&column=7', 'jobs/report.ts:12:7'],
    ['/repo/files/manifest.ts?line=3', 'manifest.ts:3'],
  ])
  assert.deepEqual(links('\x1b[31mjobs/ä&b.mts:1:1\x1b[0m, see "data.json:4"'), [
    ['/repo/files/jobs/%C3%A4%26b.mts?line=1&column=1', 'jobs/ä&amp;b.mts:1:1'],
    ['/repo/files/data.json?line=4', 'data.json:4'],
  ])
})

test('a similar text, and a file elsewhere, does not become a link', () => {
  for (const text of [
    'file:///data/builds/x/manifest.mjs:3:1',
    '/usr/lib/x.js:3',
    'http://example.com/a.js:80',
    '../secret.ts:1',
    'node_modules/a/b.js:1',
    'a/.git/b.js:1',
    'http.js:80/path',
    'took 12:30',
    '<script>.ts',
  ]) {
    assert.deepEqual(links(text), [], text)
  }
})
