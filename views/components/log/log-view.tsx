import type { LogLine } from '../../../runtime/jobs/contract.ts'
import { clockTime } from '../time-words.ts'
import { findWords } from './found-text.tsx'
import type { SpokenOf } from './source-links.tsx'
import { type TerminalLook, type TerminalPiece, terminalLine } from './terminal.ts'
import { TerminalPieces } from './terminal-text.tsx'

export interface LogViewProps {
  lines: readonly LogLine[]
  zone: string
  /** The number of the first line; each has the address `?line=<number>#L<number>` on the page. */
  first: number
  /** The line to highlight among its neighbours; null for the newest. */
  line: number | null
  /** The beginning of the first line is left out. */
  cut: boolean
  /** The code that wrote it. */
  code?: SpokenOf
  /** Words to mark; in the highlighted line, the first of them has the address `#hit`. */
  find?: string
}

/**
 * A program’s output as a terminal would show it, each line with its number and time. The numbers, times and the mark
 * of the error stream are left out of selected and copied text.
 */
export function LogView({ lines, zone, first, line, cut, code, find = '' }: LogViewProps) {
  const shown = lookedUpLines(lines)
  let before = ''
  return (
    <div
      class={line === null ? 'log' : 'log from-top'}
      tabindex={0}
      role="log"
      aria-label="What the run wrote"
    >
      <pre>
        {cut ? (
          <span class="log-line soft">… the beginning of this line is left out here …{'\n'}</span>
        ) : null}
        {lines.map(({ at, stream }, index) => {
          const time = at === null ? '' : `${clockTime(at, zone, true)}.${String(at % 1000).padStart(3, '0')}`
          const number = first + index
          const repeats = time === before && number !== line && number % 10 !== 0
          before = time
          const pieces = shown[index] ?? []
          const found = findWords(textOf(pieces), find)
          const hit = find !== '' && number === line
          const classes = ['log-line', stream === 'err' ? 'err' : '', number === line ? 'here' : '']
          return (
            <span class={classes.filter(Boolean).join(' ')} id={`L${number}`}>
              {/** Not a stop for the Tab key: there may be hundreds. */}
              <a class="log-number" href={`?line=${number}#L${number}`} tabindex={-1}>
                {number}
              </a>
              <span class="log-at">
                {repeats ? '' : time}
                {stream === 'err' ? <b> err</b> : null}
              </span>
              <span id={hit && found.length === 0 ? 'hit' : undefined}>
                <TerminalPieces {...{ pieces, code, found, hit }} />
                {'\n'}
              </span>
            </span>
          )
        })}
      </pre>
    </div>
  )
}

/**
 * The pieces of each line. A colour that is on at the end of a line continues on the next line of its stream only:
 * the order of the two streams is not certain.
 */
function lookedUpLines(lines: readonly LogLine[]): TerminalPiece[][] {
  const looks = new Map<LogLine['stream'], TerminalLook>()
  return lines.map(({ stream, text }) => {
    const { pieces, look } = terminalLine(text, looks.get(stream))
    looks.set(stream, look)
    return pieces
  })
}

const textOf = (pieces: readonly TerminalPiece[]): string => pieces.map(({ text }) => text).join('')
