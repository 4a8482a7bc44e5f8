import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asWritten, type LogLine, type LogStream, logLines, withHeads } from './log-line.ts'

const at = Date.parse('2026-03-10T12:00:00Z')
const chunks = fc.array(
  fc.record({
    stream: fc.constantFrom<LogStream>('out', 'err'),
    text: fc.array(fc.constantFrom('a', 'b', ' ', '\n'), { minLength: 1 }).map(parts => parts.join('')),
  }),
)

/** The log of these chunks as it is kept, and as followers get it. */
function logOf(written: readonly { stream: LogStream; text: string }[]) {
  let open: LogStream | null = null
  let kept = ''
  let followed = ''
  for (const { stream, text } of written) {
    const next = withHeads(text, { at, stream, open })
    open = next.open
    kept += next.kept
    followed += next.broken + text
  }
  return { kept, followed }
}

/** The lines that a reader should find: one goes on until its end of line, or until the other stream writes. */
function linesOf(written: readonly { stream: LogStream; text: string }[]): LogLine[] {
  const lines: LogLine[] = []
  let open = null as LogLine | null
  for (const { stream, text } of written)
    for (const part of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
      if (open?.stream !== stream) {
        open = { at, stream, text: '' }
        lines.push(open)
      }
      open.text += part.replace('\n', '')
      if (part.endsWith('\n')) open = null
    }
  return lines
}

test('a stored log without its line prefixes equals the text that followers got', () => {
  fc.assert(
    fc.property(chunks, written => {
      const { kept, followed } = logOf(written)
      assert.equal(asWritten(kept), followed)
    }),
  )
})

test('every line has a prefix, and each stream keeps its own lines', () => {
  fc.assert(
    fc.property(chunks, written => {
      const lines = logLines(logOf(written).kept)
      for (const stream of ['out', 'err'] as const) {
        const ofStream = (all: readonly LogLine[]) => all.filter(line => line.stream === stream)
        assert.deepEqual(ofStream(lines), ofStream(linesOf(written)))
      }
      assert.deepEqual(lines, linesOf(written), 'in the order in which they began')
    }),
  )
})
