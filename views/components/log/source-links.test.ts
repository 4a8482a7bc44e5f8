import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstPlace, type SpokenOf } from './source-links.tsx'
import { StackText } from './stack-text.tsx'
import { TerminalText } from './terminal-text.tsx'

const links = (text: string, code?: SpokenOf) => linksIn(String(TerminalText({ text, code })))
const linksIn = (html: string) =>
  [...html.matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].map(([, href, words]) => [
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

test('a place of a run leads to the file at its commit, also where the job prints the whole path', () => {
  const code = { commit: 'c0ffee', folder: '/data/jobs' }
  const stack = [
    'Error: no rows',
    '    at rows (/data/jobs/jobs/report.ts:12:7)',
    '    at file:///data/jobs/jobs/all.mts:3:1',
    '    at async run (jobs/my report.ts:1:2)',
    '    at call (/data/jobs/node_modules/dep/index.js:1:2)',
    '    at call (/data/jobs2/a.ts:1:2)',
    '    at ModuleJob.run (node:internal/modules/esm/module_job.js:569:25)',
  ].join('\n')
  const at = '/repo/history/c0ffee/files/jobs'
  assert.deepEqual(links(stack, code), [
    [`${at}/report.ts?line=12&column=7#L12`, '/data/jobs/jobs/report.ts:12:7'],
    [`${at}/all.mts?line=3&column=1#L3`, 'file:///data/jobs/jobs/all.mts:3:1'],
    [`${at}/my%20report.ts?line=1&column=2#L1`, 'jobs/my report.ts:1:2'],
  ])
  assert.deepEqual(links('see jobs/a.ts:4', { ...code, commit: null }), [
    ['/repo/files/jobs/a.ts?line=4', 'jobs/a.ts:4'],
  ])
})

test('the frames of packages stand back, and the first place is in the customer’s code', () => {
  const stack =
    'Error: \x1b[31mred\n    still red\x1b[0m\n    at inner (node_modules/dep/index.js:1:26)\n    at run (jobs/a.ts:2:3)'
  const html = String(StackText({ stack, code: { commit: null, folder: null } }))
  assert.match(html, /<span class="term-red">red\n {4}still red<\/span>/)
  assert.match(html, /<span class="soft"> {4}at inner \(node_modules\/dep\/index\.js:1:26\)\n<\/span>/)
  assert.deepEqual(linksIn(html), [['/repo/files/jobs/a.ts?line=2&column=3', 'jobs/a.ts:2:3']])
  assert.deepEqual(firstPlace(stack), { file: 'jobs/a.ts', line: 2, column: 3 })
  assert.equal(firstPlace('Error: in jobs/a.ts:2:3\n    at inner (node_modules/dep/index.js:1:26)'), null)
})

test('text that resembles many places takes no longer than its length', () => {
  const hostile = ['('.repeat(50_000), 'a/'.repeat(50_000), ' a.ts:1'.repeat(10_000)].map(
    each => `    at ${each}`,
  )
  for (const text of hostile) String(TerminalText({ text, code: { commit: 'c0ffee', folder: '/data/jobs' } }))
})
