import type { LogPartView } from '../../../views/instance/jobs/log-panel.tsx'
import { logLines } from '../../runner/log-line.ts'

/** Each poll of a growing log resends at most this much; a longer line is shown alone. */
const most = { length: 48 * 1024, lines: 500 }

/** Returns the part of a log with the given line; without one the last lines, or only the end of a very long line. */
export function partOf(log: string, line: number | null): LogPartView {
  return line === null ? lastPart(log) : partWith(log, line)
}

function lastPart(log: string): LogPartView {
  const end = log.slice(-most.length)
  const cutInLine = end.length < log.length && log.at(-end.length - 1) !== '\n'
  let lines = logLines(end)
  const onlyLine = lines.length === 1
  if (cutInLine && !onlyLine) lines.shift()
  lines = lines.slice(-most.lines)
  const total = countLines(log)
  const first = total - lines.length + 1
  const before = cutInLine && onlyLine ? first : first > 1 ? first - 1 : null
  return { lines, first, total, line: null, cut: cutInLine && onlyLine, before, after: null }
}

/** Parts follow each other from the first line on, so that each line is always in the same part. */
function partWith(log: string, wanted: number): LogPartView {
  const total = countLines(log)
  const line = Math.min(wanted, total)
  let part = { first: 1, from: 0 }
  let previous: number | null = null
  let from = 0
  for (let number = 1; from < log.length; number++) {
    const end = log.indexOf('\n', from)
    const to = end < 0 ? log.length : end + 1
    const isFull = number - part.first >= most.lines || to - part.from > most.length
    if (isFull && number > part.first) {
      if (line < number) break
      previous = part.first
      part = { first: number, from }
    }
    from = to
  }
  const lines = logLines(log.slice(part.from, from))
  const next = part.first + lines.length
  return {
    lines,
    first: part.first,
    total,
    line: wanted <= total ? wanted : null,
    cut: false,
    before: previous,
    after: next <= total ? next : null,
  }
}

function countLines(log: string): number {
  let count = log === '' || log.endsWith('\n') ? 0 : 1
  for (let at = log.indexOf('\n'); at >= 0; at = log.indexOf('\n', at + 1)) count++
  return count
}
