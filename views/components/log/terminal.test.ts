import assert from 'node:assert/strict'
import { test } from 'node:test'
import { terminalPieces, visibleText, withoutEscapes } from './terminal.ts'

const looks = (text: string) =>
  terminalPieces(text).map(({ text, colour, background, marks }) =>
    [text, colour ?? '', background ? `on ${background}` : '', ...marks].filter(Boolean).join(' '),
  )

test('colours and styles become separate pieces until they end', () => {
  assert.deepEqual(looks('a\x1b[31mb\x1b[0mc'), ['a', 'b red', 'c'])
  assert.deepEqual(looks('\x1b[1;32mok\x1b[22m still green\x1b[39m plain'), [
    'ok green bold',
    ' still green green',
    ' plain',
  ])
  assert.deepEqual(looks('\x1b[7;93;44mx\x1b[27my\x1b[49mz\x1b[m.'), [
    'x yellow on blue inverse',
    'y yellow on blue',
    'z yellow',
    '.',
  ])
  assert.deepEqual(looks('\x1b[32ma\x1b[32mb\nc'), ['ab\nc green'], 'one look is one piece')
})

test('colours beyond the eight become the nearest of them', () => {
  assert.deepEqual(looks('\x1b[38;5;208morange\x1b[38;2;0;190;200mteal\x1b[48:2::255:0:255mpink'), [
    'orange yellow',
    'teal cyan',
    'pink cyan on magenta',
  ])
  assert.deepEqual(looks('\x1b[38;5;9;1mbright red, bold\x1b[38;5;245mgrey'), [
    'bright red, bold red bold',
    'grey white bold',
  ])
})

test('every other escape sequence and control character is left out', () => {
  const link = '\x1b]8;;https://example.com\x1b\\here\x1b]8;;\x07'
  assert.equal(
    withoutEscapes(`\x1b[2K\x1b[1Gup\x1b[1A \x1b]0;title\x07${link}\x1b(B\x1b7\x00\x07\b!\t\r\n`),
    'up here!\t\r\n',
  )
  assert.deepEqual(looks('\x1b[?25l\x1b[31mred\x1b[5n\x1b'), ['red red'])
  assert.equal(withoutEscapes('plain <b> text, ünïcödé'), 'plain <b> text, ünïcödé')
})

test('hostile output takes no longer than its length', () => {
  const text = `${'\x1b['.repeat(50_000)}${'\x1b]'.repeat(50_000)}`
  assert.equal(withoutEscapes(text).includes('\x1b'), false)
})

test('a line shows what a terminal shows when all of it is written', () => {
  const lines: [string, string][] = [
    ['10 %\r50 %\rdone\r', 'done'],
    ['downloading\rok', 'okwnloading'],
    ['downloading\r\x1b[Kok', 'ok'],
    ['downloading\x1b[2K\x1b[1Gok', 'ok'],
    ['[    ]\x1b[5D==', '[==  ]'],
    ['a\x1b[3Cb\x1b[1G\x1b[Px', 'x  b'],
    ['wordz\bs', 'words'],
    ['cafe\u0301\rC', 'Cafe\u0301'],
    ['\x1b[999999999Cx', `${' '.repeat(10_000)}x`],
    ['\x1b[31mred\x1b[0m and \x1b[1mbo\x1b[4mld\x1b[m', 'red and bold'],
    ['\x1b]8;;https://example.com\x07link\x1b]8;;\x07', 'link'],
    ['bin\0ary \ufffd', 'binary \ufffd'],
    ['one\r\ntwo\r\n', 'one\ntwo\n'],
  ]
  for (const [text, shown] of lines) assert.equal(visibleText(text), shown, JSON.stringify(text))
  assert.deepEqual(looks('\x1b[31m50 %\x1b[32m\rdone\x1b[0m!'), ['done green', '!'])
})

test('a link has its address, if a browser may open it', () => {
  const link = (address: string) =>
    terminalPieces(`see \x1b]8;id=1;${address}\x1b\\here\x1b]8;;\x1b\\.`).map(piece => [
      piece.text,
      piece.link,
    ])
  assert.deepEqual(link('https://example.com/a;b'), [
    ['see ', null],
    ['here', 'https://example.com/a;b'],
    ['.', null],
  ])
  for (const address of ['javascript:alert(1)', 'file:///etc/passwd', 'https://a b', 'data:text/html,x'])
    assert.deepEqual(link(address), [['see here.', null]], address)
})
