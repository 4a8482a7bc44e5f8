import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '../../../runtime/jobs/contract.ts'
import { LogView } from './log-view.tsx'

const page = (...lines: [LogLine['stream'], string][]): string =>
  String(
    LogView({
      lines: lines.map(([stream, text]) => ({ at: 0, stream, text })),
      zone: 'UTC',
      first: 1,
      line: null,
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
