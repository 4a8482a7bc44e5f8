import { type SpokenOf, withPlaces } from './source-links.tsx'
import { type TerminalPiece, terminalPieces } from './terminal.ts'

/** A program's terminal output with its colours; each place in a file of the jobs repo is a link. */
export function TerminalText({ text, code }: { text: string; code?: SpokenOf | undefined }) {
  return <TerminalPieces pieces={terminalPieces(text)} code={code} />
}

export function TerminalPieces(props: { pieces: readonly TerminalPiece[]; code?: SpokenOf | undefined }) {
  return (
    <>
      {props.pieces.map(piece => {
        const look = classesOf(piece)
        const text = withPlaces(piece.text, props.code)
        return look ? <span class={look}>{text}</span> : text
      })}
    </>
  )
}

function classesOf({ colour, background, marks }: TerminalPiece): string {
  const classes = [...marks].map(mark => `term-${mark}`)
  if (colour) classes.push(`term-${colour}`)
  if (background) classes.push(`term-on-${background}`)
  return classes.join(' ')
}
