/** A piece of a log, as the run wrote it, and as it is kept with the head of each line (`log-line.ts`). */
export interface LogPiece {
  written: string
  kept: string
  /** Where the piece begins and ends. Positions count characters of what is kept, also of what was left out later. */
  from: number
  to: number
}

/** A log that can be read on from any position, at any speed. */
export interface OpenLog {
  /**
   * Returns about `most` characters of what is kept from a position on, in whole lines if possible. `next` is the
   * position after them; it stays the same while there is nothing more. 0 is the beginning.
   */
  from(position: number, most: number): { text: string; next: number }
  /** Calls back with each new piece, and with null at the end. Returns a function that stops that. */
  follow(onPiece: (piece: LogPiece | null) => void): () => void
}

/** The line that stands where the middle of a log was left out. It is the only line without a head. */
export function leftOutLine(bytes: number): string {
  return `\n[longhouse] … ${bytes} bytes left out here …\n`
}

/**
 * Opens the log of a run that has ended. Its positions are negative and count from its end, because how much was left
 * out of its middle is unknown. A position from while the log grew is valid too: in or behind the middle, it leads to
 * the beginning of the end.
 */
export function storedLog(read: () => string): OpenLog {
  return {
    from: (position, most) => {
      const log = read()
      const gap = log.search(/\n\[longhouse\] \u2026 \d+ bytes left out here \u2026\n/)
      const start = position < 0 ? log.length + position + 1 : gap < 0 ? position : Math.min(position, gap)
      const text = beginning(log.slice(Math.max(0, start)), most)
      if (text === '') return { text, next: position }
      return { text, next: Math.max(0, start) + text.length - log.length - 1 }
    },
    follow: followEnded,
  }
}

/** Follows a log that has ended: the end is all that comes. */
export const followEnded: OpenLog['follow'] = onPiece => {
  const timer = setImmediate(() => onPiece(null))
  return () => clearImmediate(timer)
}

/** Returns about the first `most` characters of a text, in whole lines if possible, and at least one. */
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text
  const lines = text.lastIndexOf('\n', most - 1) + 1
  if (lines > 0) return text.slice(0, lines)
  // Do not cut a surrogate pair.
  return text.slice(0, /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most + 1 : most)
}
