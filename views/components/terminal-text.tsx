import { type TerminalPiece, terminalPieces } from './terminal.ts'

/** What a program wrote for a terminal, with its colours. */
export function TerminalText({ text }: { text: string }) {
  return <TerminalPieces pieces={terminalPieces(text)} />
}

export function TerminalPieces({ pieces }: { pieces: readonly TerminalPiece[] }) {
  return (
    <>
      {pieces.map(piece => {
        const look = classesOf(piece)
        return look ? <span class={look}>{piece.text}</span> : piece.text
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
