import { PointedCode } from './source-excerpt.tsx'

/** All lines of a file, each with its number and the address `#L<number>`. */
export function SourceText(props: {
  text: string
  /** The name of the file, for screen readers. */
  label: string
  /** The highlighted place, both from 1. */
  at: { line: number; column: number | null } | null
}) {
  const { text, label, at } = props
  return (
    <section class="excerpt source-text" tabindex={0} aria-label={label}>
      <ol>
        {linesOf(text).map((line, index) => {
          const number = index + 1
          const here = at?.line === number
          return (
            <li id={`L${number}`} class={here ? 'here' : undefined}>
              {/** Not a stop for the Tab key: there may be thousands. */}
              <a class="line" href={`#L${number}`} tabindex={-1}>
                {number}
              </a>
              {here && at.column ? <PointedCode text={line} column={at.column} /> : <code>{line}</code>}
            </li>
          )
        })}
      </ol>
    </section>
  )
}

/** The lines of a text, without the empty one after its last line end. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
