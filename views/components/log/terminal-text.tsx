import type { Child } from 'hono/jsx'
import { type FoundAt, foundText } from './found-text.tsx'
import { type SpokenOf, withPlaces } from './source-links.tsx'
import { type TerminalPiece, terminalPieces } from './terminal.ts'

/** A program's terminal output with its colours; each place in a file of the jobs repo is a link. */
export function TerminalText({ text, code }: { text: string; code?: SpokenOf | undefined }) {
  return <TerminalPieces pieces={terminalPieces(text)} code={code} />
}

/** `found` are places in the text of all pieces, to be marked; the first one gets the id `hit`. */
export function TerminalPieces(props: {
  pieces: readonly TerminalPiece[]
  code?: SpokenOf | undefined
  found?: readonly FoundAt[] | undefined
  hit?: boolean | undefined
}) {
  const { pieces, code, found = [], hit } = props
  let offset = 0
  return (
    <>
      {pieces.map(piece => {
        const start = offset
        offset += piece.text.length
        const show = (text: string, at = 0) =>
          found.length === 0
            ? text
            : foundText(text, { offset: start + at, found, id: hit ? 'hit' : undefined })
        const look = classesOf(piece)
        const text = piece.link ? (
          <OutsideLink href={piece.link}>{show(piece.text)}</OutsideLink>
        ) : (
          withPlaces(piece.text, code, show)
        )
        return look ? <span class={look}>{text}</span> : text
      })}
    </>
  )
}

/** What a program offers as a link: the place it leads to learns nothing of this page. */
function OutsideLink({ href, children }: { href: string; children: Child }) {
  return (
    <a href={href} title={href} rel="noreferrer nofollow">
      {children}
    </a>
  )
}

function classesOf({ colour, background, marks }: TerminalPiece): string {
  const classes = [...marks].map(mark => `term-${mark}`)
  if (colour) classes.push(`term-${colour}`)
  if (background) classes.push(`term-on-${background}`)
  return classes.join(' ')
}
