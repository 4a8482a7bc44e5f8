/** Which of its two streams a run wrote a line to. */
export type LogStream = 'out' | 'err'

export interface LogLine {
  /** When its first part was written; null for what the runtime put in, and in logs of older runtimes. */
  at: number | null
  stream: LogStream | null
  text: string
}

/**
 * A log is kept as text in which every line begins with when it was written and to which stream, such as
 * `2026-11-22T15:47:00.123Z err no such file`: a person can read and search the file with nothing but the shell.
 */
export function lineHead(at: number, stream: LogStream): string {
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

/** The log as the run wrote it. */
export function asWritten(log: string): string {
  return log.replace(heads, '')
}

/** The lines of a log; what follows its last end of line is one, unless it is empty. */
export function logLines(log: string): LogLine[] {
  const lines = log.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(logLine)
}

export function logLine(line: string): LogLine {
  const found = oneHead.exec(line)?.[0]
  if (found === undefined) return { at: null, stream: null, text: line }
  const [time = '', stream] = found.split(' ')
  return { at: Date.parse(time), stream: stream as LogStream, text: line.slice(found.length) }
}
