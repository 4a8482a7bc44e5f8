import { styleText } from 'node:util'
import { withoutEscapes } from '../views/components/log/terminal.ts'

type Look = 'red' | 'green' | 'yellow' | 'bold' | 'dim'

/** Where a command writes: its findings on standard output, what accompanies them on standard error. */
export interface Output {
  /** A line of what was asked for. */
  say(line: string): void
  /** A line beside it. */
  note(line: string): void
  /** Text of other programs, unchanged. */
  pass(stream: 'out' | 'err', text: string): void
  json(value: unknown): void
  /** Colours, where standard output is a terminal that wants them (`NO_COLOR`, `FORCE_COLOR`). */
  look(look: Look, text: string): string
  /** The same for standard error. */
  noteLook(look: Look, text: string): string
  /** Whether a program that writes to our standard output may colour it. */
  colours: boolean
  /** Of the terminal, in characters; null when standard output is none. */
  columns: number | null
}

export function processOutput(): Output {
  const { stdout, stderr } = process
  const look = (stream: NodeJS.WriteStream) => (look: Look, text: string) => styleText(look, text, { stream })
  return {
    say: line => void stdout.write(`${line}\n`),
    note: line => void stderr.write(`${line}\n`),
    pass: (stream, text) => void (stream === 'out' ? stdout : stderr).write(text),
    json: value => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    look: look(stdout),
    noteLook: look(stderr),
    colours: look(stdout)('red', '.') !== '.',
    columns: stdout.isTTY ? stdout.columns : null,
  }
}

/** A text of the customer's as one line, without what would move the cursor. */
export function oneLine(text: string): string {
  return withoutEscapes(text).replaceAll(/\s+/g, ' ').trim()
}

/** Columns as wide as their widest cell, two spaces apart; lines longer than `most` end with an ellipsis. */
export function table(rows: readonly (readonly string[])[], most: number | null): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map(row => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return most !== null && line.length > most ? `${line.slice(0, most - 1)}…` : line
  })
}
