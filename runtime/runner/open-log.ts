/** A piece of a log: as the run wrote it, and as it is kept, with the head of each line (`log-line.ts`). */
export interface LogPiece {
  written: string
  kept: string
  /** Where it begins and ends: positions count characters of what is kept, also of what was left out later. */
  from: number
  to: number
}

/** A log as somebody reads it from where he was, however slowly. */
export interface OpenLog {
  /**
   * What is kept from a position on, about `most` characters of it and in whole lines where that can be; `next` is the
   * position after it, and the same one when there is nothing more yet. 0 is the beginning.
   */
  from(position: number, most: number): { text: string; next: number }
  /** Calls back with each new piece, and with null at the end; returns what stops it. */
  follow(onPiece: (piece: LogPiece | null) => void): () => void
}

/** Stands in a log where its middle was left out; every other line begins with its head. */
export function leftOutLine(bytes: number): string {
  return `\n[longhouse] … ${bytes} bytes left out here …\n`
}

/**
 * The log of a run that is over. Its positions are negative, for they count from its end: of a log whose middle is gone
 * only that is known. From a position in what is gone, or beyond, that the log had while it grew, all of the end is told.
 */
export function storedLog(read: () => string): OpenLog {
  return {
    from: (position, most) => {
      const log = read()
      const gap = log.search(/\n\[longhouse\] … \d+ bytes left out here …\n/)
      const start = position < 0 ? log.length + position + 1 : gap < 0 ? position : Math.min(position, gap)
      const text = beginning(log.slice(Math.max(0, start)), most)
      if (text === '') return { text, next: position }
      return { text, next: Math.max(0, start) + text.length - log.length - 1 }
    },
    follow: followEnded,
  }
}

/** Nothing more comes. */
export const followEnded: OpenLog['follow'] = onPiece => {
  const timer = setImmediate(() => onPiece(null))
  return () => clearImmediate(timer)
}

/** About the first `most` characters, at least one of them. */
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text
  const lines = text.lastIndexOf('\n', most - 1) + 1
  if (lines > 0) return text.slice(0, lines)
  // No character is cut in two.
  return text.slice(0, /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most + 1 : most)
}
