import type { Child } from 'hono/jsx'

/** A place in a text, in characters: from, and up to. */
export type FoundAt = readonly [from: number, to: number]

/** Where the words are in a text, in upper or lower case. None for no words. */
export function findWords(text: string, words: string): FoundAt[] {
  if (words === '') return []
  return [...text.matchAll(wordsPattern(words, 'g'))].map(({ index, 0: found }) => [
    index,
    index + found.length,
  ])
}

/** Matches the words in upper or lower case; the places that it finds are those of the text as it is. */
export function wordsPattern(words: string, flags = ''): RegExp {
  return new RegExp(RegExp.escape(words.toWellFormed()), `iu${flags}`)
}

/**
 * A part of a text that begins at `offset`, with what was found in it marked. `id` is that of the first place, if it
 * begins in this part.
 */
export function foundText(
  text: string,
  { offset = 0, found, id }: { offset?: number; found: readonly FoundAt[]; id?: string | undefined },
): Child[] {
  const parts: Child[] = []
  let at = 0
  for (const [index, [from, to]] of found.entries()) {
    const start = Math.max(from - offset, at)
    const end = Math.min(to - offset, text.length)
    if (end <= start) continue
    const isFirst = index === 0 && from >= offset
    parts.push(text.slice(at, start), <mark id={isFirst ? id : undefined}>{text.slice(start, end)}</mark>)
    at = end
  }
  return [...parts, text.slice(at)].filter(part => part !== '')
}
