import { styleText } from 'node:util'
import { withoutEscapes } from '../../views/components/log/terminal.ts'

export type Look = 'red' | 'green' | 'yellow' | 'bold' | 'dim'

/** A command's output: results on standard output, everything else on standard error. */
export interface Output {
  /** Writes a line of the result. */
  say(line: string): void
  /** Writes a line to standard error. */
  note(line: string): void
  /** Text of other programs, unchanged. */
  pass(stream: 'out' | 'err', text: string): void
  json(value: unknown): void
  /** Colours text if standard output is a terminal that supports it (`NO_COLOR`, `FORCE_COLOR`). */
  look(look: Look, text: string): string
  /** The same for standard error. */
  noteLook(look: Look, text: string): string
  /** True if a program that writes to our standard output may use colours. */
  colours: boolean
  /** The terminal's width in characters; null if standard output is not a terminal. */
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

/** Customer text as one line, without characters that move the cursor. */
export function oneLine(text: string): string {
  return withoutEscapes(text).replaceAll(/\s+/g, ' ').trim()
}

/** The frames of a stack, a line each, without its message. */
export function framesOf(stack: string | null | undefined): string[] {
  return (stack ?? '')
    .split('\n')
    .filter(line => /^\s+at |^(Caused by|One of them): /.test(line))
    .map(line => `  ${oneLine(line)}`)
}

/** A table with headings, as wide as the terminal at most. The looks are those of whole cells. */
export function sayTable(
  output: Output,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  lookOf: (cell: string, column: number) => Look | null = () => null,
): void {
  const [head = '', ...lines] = table([headings, ...rows.map(row => row.map(oneLine))], output.columns)
  output.say(output.look('bold', head))
  for (const [index, line] of lines.entries()) {
    // A look has no width, so it comes after the columns.
    const looks = (rows[index] ?? []).flatMap((cell, column) => {
      const look = lookOf(cell, column)
      return look ? [[oneLine(cell), look] as const] : []
    })
    output.say(looks.reduce((text, [cell, look]) => text.replace(cell, () => output.look(look, cell)), line))
  }
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
