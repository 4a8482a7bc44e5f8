/**
 * Remembers how far a log was read, so that a broken connection is continued where it was. Several lines may have the same
 * millisecond: the log is asked for from the last one on, and the lines of it that were read already are not new.
 */
export function createLogPlace() {
  let last: { time: string; lines: string[] } | null = null
  let known: string[] = []
  return {
    /** The time from which to ask for more; null until a line with a time was read. */
    reopen: (): string | null => {
      known = [...(last?.lines ?? [])]
      return last?.time ?? null
    },

    hasBegun: (): boolean => last !== null,

    /** Whether a line, which begins with its time, was not read before. */
    isNew: (line: string): boolean => {
      const time = line.slice(0, line.indexOf(' '))
      if (Number.isNaN(Date.parse(time))) return true
      const index = time === last?.time ? known.indexOf(line) : -1
      if (index >= 0) {
        known.splice(index, 1)
        return false
      }
      if (time === last?.time) last.lines.push(line)
      else last = { time, lines: [line] }
      return true
    },
  }
}
