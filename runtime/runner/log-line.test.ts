import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asWritten, type LogStream, logLines, withHeads } from './log-line.ts'

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
      assert.ok(lines.every(line => line.at === at))
      for (const stream of ['out', 'err'] as const) {
        const text = written.filter(chunk => chunk.stream === stream).map(chunk => chunk.text)
        const kept = lines.filter(line => line.stream === stream).map(line => line.text)
        assert.equal(kept.join(''), text.join('').replaceAll('\n', ''))
      }
    }),
  )
})
