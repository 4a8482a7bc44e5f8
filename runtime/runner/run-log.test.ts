import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { standingClock } from '../engine.fixture.ts'
import { readLog } from './log-file.ts'
import { asWritten, logLines } from './log-line.ts'
import { storedLog } from './open-log.ts'
import { createRunLog } from './run-log.ts'

const noon = Date.parse('2026-03-10T12:00:00Z')

function openLog(t: TestContext) {
  const file = join(temporaryFolder(t), 'runs', 'run.log')
  const clock = standingClock(noon)
  const log = createRunLog(file, clock)
  const write = (stream: 'out' | 'err', text: string | Buffer) => log.write(stream, Buffer.from(text))
  return { log, clock, file, write, ended: () => log.end() && readFileSync(file, 'utf8') }
}

test('each line has its start time and its stream', t => {
  const { log, clock, write, ended } = openLog(t)
  const told: string[] = []
  log.follow(piece => told.push(piece ? piece.kept : 'over'))
  write('out', 'one\ntw')
  clock.at += 1500
  write('out', 'o\n')
  write('err', 'no such file\n\n')
  const text = ended()
  assert.equal(
    text,
    [
      '2026-03-10T12:00:00.000Z out one',
      '2026-03-10T12:00:00.000Z out two',
      '2026-03-10T12:00:01.500Z err no such file',
      '2026-03-10T12:00:01.500Z err ',
      '',
    ].join('\n'),
  )
  assert.deepEqual(told.join(''), `${text}over`)
  assert.equal(asWritten(String(text)), 'one\ntwo\nno such file\n\n')
  assert.deepEqual(logLines(String(text))[2], { at: noon + 1500, stream: 'err', text: 'no such file' })
})

test('interleaved streams keep separate lines', t => {
  const { write, ended } = openLog(t)
  write('out', 'copying … ')
  write('err', 'warning\n')
  write('out', 'done\n')
  const lines = logLines(String(ended()))
  assert.deepEqual(
    lines.map(({ stream, text }) => [stream, text]),
    [
      ['out', 'copying … '],
      ['err', 'warning'],
      ['out', 'done'],
    ],
  )
})

test('characters split across chunks are complete; invalid bytes are harmless', t => {
  const { write, ended } = openLog(t)
  const bytes = Buffer.from('grüße 🚀\n')
  for (const byte of bytes) write('out', Buffer.from([byte]))
  write('err', Buffer.from([0xff, 0x00, 0x0a, 0xf0, 0x9f]))
  const written = asWritten(String(ended()))
  assert.ok(written.startsWith('grüße 🚀\n'))
  assert.equal(written.slice(9), '\ufffd\u2400\n\ufffd')
})

test('a line that resembles a prefix is stored unchanged', t => {
  const { write, ended } = openLog(t)
  const line = '2020-01-01T00:00:00.000Z err forged\n'
  write('out', line)
  assert.equal(asWritten(String(ended())), line)
})

test('a long log keeps its beginning and its end in whole lines', t => {
  const shapes: [string, (i: number) => string, number][] = [
    ['lines', i => `line ${i} of many, and some more words to fill it\n`, 60_000],
    ['one line', i => `${i},`, 600_000],
    ['a progress bar', i => `\r${i} of 1000000`, 300_000],
    ['characters of several bytes', i => `${i} 🚀🚀🚀🚀🚀🚀\n`, 60_000],
  ]
  for (const [name, make, count] of shapes) {
    const { write, log, ended } = openLog(t)
    let all = ''
    for (let i = 0; i < count; i += 500) {
      const piece = Array.from({ length: 500 }, (_, at) => make(i + at)).join('')
      all += piece
      write('out', piece)
    }
    const going = log.text()
    const kept = String(ended())
    assert.equal(going, kept, name)
    const written = asWritten(kept)
    const [head = '', leftOut = '', tail = ''] = written.split(
      /\n\[longhouse\] … (\d+) bytes left out here …\n/,
    )
    assert.ok(all.startsWith(head) && all.endsWith(tail), name)
    assert.equal(Buffer.byteLength(head), 512 * 1024 - ((512 * 1024 - Buffer.byteLength(head)) % 4), name)
    assert.ok(Buffer.byteLength(tail) >= 500 * 1024 && Buffer.byteLength(tail) < 600 * 1024, name)
    const bytes = Buffer.byteLength(all)
    assert.equal(Buffer.byteLength(head) + Number(leftOut) + Buffer.byteLength(tail), bytes, name)
    if (make(1).endsWith('\n')) assert.ok(all.includes(`\n${tail}`), `${name}: the end begins with a line`)
  }
})

test('very many empty lines are truncated', t => {
  const { write, ended } = openLog(t)
  for (let i = 0; i < 64; i++) write('out', '\n'.repeat(16 * 1024))
  const kept = String(ended())
  assert.ok(kept.length < 6 * 1024 * 1024)
  assert.match(kept, /left out here/)
})

test('values are masked for the file and for followers, also in pieces and on either stream', t => {
  const { log, write, ended } = openLog(t)
  const told: string[] = []
  log.follow(piece => told.push(piece?.written ?? ''))
  log.mask(['s3cr3t-value', 'line one\nline two'])
  write('out', 'the key is s3cr')
  write('err', 'err: s3cr3t-v')
  write('out', '3t-value.\n')
  write('err', 'alue\nline one\nli')
  write('err', 'ne two\nwith s3cr')
  const text = String(ended())
  for (const seen of [text, told.join('')]) assert.doesNotMatch(seen, /s3cr3t|line (one|two)/)
  assert.match(text, /out \*\*\*\.\n/)
  assert.match(text, /err with s3cr$/, 'what only began like a secret comes at the end')
})

test('a log of fifty megabytes keeps about one, in memory and on disk', t => {
  const { log, write, ended } = openLog(t)
  const chunk = Buffer.from(
    'a line of eighty characters or so, as programs like to write them to logs\n'.repeat(850),
  )
  const before = process.memoryUsage().rss
  const began = performance.now()
  for (let i = 0; i < 800; i++) write('out', chunk)
  const tookMs = performance.now() - began
  const grewMb = (process.memoryUsage().rss - before) / 1024 / 1024
  t.diagnostic(`${Math.round(tookMs)} ms, ${Math.round(grewMb)} MiB more`)
  const going = log.text()
  const kept = String(ended())
  for (const text of [going, kept]) {
    assert.match(text, /left out here/)
    // The heads of lines come on top of what the run wrote.
    assert.ok(Buffer.byteLength(text) < 2 * 1024 * 1024, `${Buffer.byteLength(text)} bytes`)
  }
})

test('a log can be resumed at every position, while it grows and after its end', t => {
  for (const most of [7, 1000, 64 * 1024]) {
    const { log, write, file, ended } = openLog(t)
    const reader = () => {
      let position = 0
      let seen = ''
      return {
        seen: () => seen,
        read: (steps: number) => {
          for (let i = 0; i < steps; i++) {
            const { text, next } = log.from(position, most)
            if (next === position) return
            assert.ok(!/^[\udc00-\udfff]/.test(text), 'no character is cut')
            seen += text
            position = next
          }
        },
      }
    }
    const keeping = reader()
    for (let i = 0; i < 40; i++) {
      write(i % 3 ? 'out' : 'err', `${i} 🚀🚀🚀\nand ${i % 2 ? '\n' : ''}`)
      keeping.read(100)
    }
    const slow = reader()
    slow.read(2)
    assert.equal(keeping.seen(), log.text())
    const kept = ended()
    keeping.read(100)
    slow.read(1000)
    assert.equal(keeping.seen(), kept)
    assert.equal(slow.seen(), kept, 'also when it ends in between')
    const stored = storedLog(() => readLog(file))
    const { text, next } = stored.from(0, most)
    assert.equal(text + stored.from(next, 1e6).text, kept)
  }
})

test('a position that was truncated resumes at the next kept line', t => {
  const { log, write, file, ended } = openLog(t)
  const line = `${'x'.repeat(1000)}\n`
  for (let i = 0; i < 600; i++) write('out', line)
  const between = 600 * (line.length + 29)
  for (let i = 0; i < 2000; i++) write('out', line)
  const gone = log.from(between, 1e6)
  assert.match(gone.text, /^\n\[longhouse\] … \d+ bytes left out here …\n$/)
  const rest = log.from(gone.next, 1e7).text
  const kept = String(ended())
  assert.ok(kept.endsWith(gone.text + rest))
  const stored = storedLog(() => readLog(file))
  assert.equal(stored.from(between, 1e7).text, gone.text + rest)
  assert.equal(stored.from(1000, 1e7).text, kept.slice(1000))
})
