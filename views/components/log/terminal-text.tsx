import { withPlaces } from './source-links.tsx'
import { type TerminalPiece, terminalPieces } from './terminal.ts'

/** A program's terminal output with its colours; each place in a file of the jobs repo is a link. */
export function TerminalText({ text }: { text: string }) {
  return <TerminalPieces pieces={terminalPieces(text)} />
}

export function TerminalPieces({ pieces }: { pieces: readonly TerminalPiece[] }) {
  return (
    <>
      {pieces.map(piece => {
        const look = classesOf(piece)
        const text = withPlaces(piece.text)
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
