/** The stream that a run wrote a line to. */
export type LogStream = 'out' | 'err'

export interface LogLine {
  /** When the beginning of the line was written; null for lines of the runtime, and in logs of older runtimes. */
  at: number | null
  stream: LogStream | null
  text: string
}

/**
 * Returns the head of a line in a log: when it was written, and to which stream. A log is a text of lines such as
 * `2026-11-22T15:47:00.123Z err no such file`, so that people can read and search it with nothing but the shell.
 */
function lineHead(at: number, stream: LogStream): string {
  return `${new Date(at).toISOString()} ${stream} `
}

/**
 * Returns the text of one stream with a head on each line that begins in it. `open` is the stream whose line is not at
 * its end; null when every line is. A line of one stream is broken where the other stream begins to write: `broken` is
 * the end of line for that, or ''.
 */
export function withHeads(
  text: string,
  { at, stream, open }: { at: number; stream: LogStream; open: LogStream | null },
): { kept: string; broken: string; open: LogStream | null } {
  const head = lineHead(at, stream)
  const broken = open !== null && open !== stream ? '\n' : ''
  const first = open === stream ? '' : head
  return {
    kept: broken + first + text.replace(/\n(?!$)/g, () => `\n${head}`),
    broken,
    open: text.endsWith('\n') ? null : stream,
  }
}

const head = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:out|err) `
const heads = new RegExp(`(?<=^|\n)${head}`, 'g')
const oneHead = new RegExp(`^${head}`)

/** Returns a log as the run wrote it, without the heads of its lines. */
export function asWritten(log: string): string {
  return log.replace(heads, '')
}

/** Splits a log into its lines. An unfinished last line counts as one. */
export function logLines(log: string): LogLine[] {
  const lines = log.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(logLine)
}

function logLine(line: string): LogLine {
  const found = oneHead.exec(line)?.[0]
  if (found === undefined) return { at: null, stream: null, text: line }
  const [time = '', stream] = found.split(' ')
  return { at: Date.parse(time), stream: stream as LogStream, text: line.slice(found.length) }
}
