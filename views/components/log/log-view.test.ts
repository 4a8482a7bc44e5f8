import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '../../../runtime/jobs/contract.ts'
import { LogView } from './log-view.tsx'

const page = (...lines: [LogLine['stream'], string][]): string => found('', null, ...lines)
const found = (find: string, line: number | null, ...lines: [LogLine['stream'], string][]): string =>
  String(
    LogView({
      find,
      lines: lines.map(([stream, text]) => ({ at: 0, stream, text })),
      zone: 'UTC',
      first: 1,
      line,
      cut: false,
    }),
  )

test('a colour continues on the next line of its own stream, whatever comes in between', () => {
  const apart = page(
    ['out', 'first'],
    ['err', '\x1b[31mno such file'],
    ['out', 'done'],
    ['err', 'still\x1b[0m'],
  )
  assert.match(apart, /<span class="term-red">no such file<\/span>/)
  assert.match(apart, /<span>done\n<\/span>/)
  assert.match(apart, /<span class="term-red">still<\/span>/)

  const within = page(['out', '\x1b[32mone'], ['out', ''], ['out', 'two\x1b[0m'], ['out', 'three'])
  assert.match(within, /<span class="term-green">one<\/span>\n<\/span>/)
  assert.match(within, /<span class="term-green">two<\/span>/)
  assert.match(within, /<span>three\n<\/span>/)
})

test('a line that was overwritten shows its last text', () => {
  assert.match(page(['out', '10 %\r50 %\rdone\r']), /<span>done\n<\/span>/)
})

test('what was found is marked across colours, links and places in files, once with an address', () => {
  const marked = found(
    'order 17',
    2,
    ['out', 'Order 17'],
    ['out', '\x1b[31mor\x1b[1mder\x1b[0m 17, and order 17'],
    ['out', 'no order'],
  )
  assert.match(marked, /<mark>Order 17<\/mark>/)
  assert.match(
    marked,
    /<span class="term-red"><mark id="hit">or<\/mark><\/span><span class="term-bold term-red"><mark>der<\/mark><\/span><mark> 17<\/mark>, and <mark>order 17<\/mark>/,
  )
  assert.equal(marked.match(/id="hit"/g)?.length, 1)
  const place = found('a.ts', 1, ['err', '    at run (jobs/a.ts:1:2)'])
  assert.match(place, /<a href="[^"]+">jobs\/<mark id="hit">a\.ts<\/mark>:1:2<\/a>/)
  assert.match(
    found('50 %', 1, ['out', '50 %\rdone']),
    /<span id="hit">done\n<\/span>/,
    'what was overwritten',
  )
  assert.match(found('İ', 1, ['out', 'aİb']), /a<mark id="hit">İ<\/mark>b/)
})

test('a link of the program is one on the page', () => {
  const html = page(['out', '\x1b]8;;https://example.com/?a=1&b=2\x07report\x1b]8;;\x07'])
  assert.match(
    html,
    /<a href="https:\/\/example\.com\/\?a=1&amp;b=2" title="[^"]+" rel="noreferrer nofollow">report<\/a>/,
  )
})
