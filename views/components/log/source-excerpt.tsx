export interface SourceExcerptProps {
  /** The number of the first line in `lines`. */
  first: number
  lines: readonly string[]
  /** The highlighted line and the column in it, both from 1. */
  line: number
  column: number | null
}

/** Lines of a file around a highlighted place. */
export function SourceExcerpt({ first, lines, line, column }: SourceExcerptProps) {
  return (
    <div class="excerpt">
      <ol>
        {lines.map((text, index) => {
          const here = first + index === line
          return (
            <li class={here ? 'here' : undefined}>
              <span class="line">{first + index}</span>
              {here && column ? <PointedCode text={text} column={column} /> : <code>{text}</code>}
            </li>
          )
        })}
      </ol>
    </div>
  )
}

/** A line of code with the word at a column, from 1, underlined. */
export function PointedCode({ text, column }: { text: string; column: number }) {
  const start = Math.min(column - 1, text.length)
  const word = /^[\w$]+|^./.exec(text.slice(start))?.[0] ?? ''
  return (
    <code>
      {text.slice(0, start)}
      <mark>{word || ' '}</mark>
      {text.slice(start + word.length)}
    </code>
  )
}
