/** One form in which a value may appear in a text. */
export interface Form {
  /** Length of the shortest match: of two forms with the same beginning, the longer is tried first. */
  readonly size: number
  /** The possible beginnings of a match, `beginningLength` characters each. */
  readonly beginnings: ReadonlySet<string>
  /** Returns the end of a match at `at`; `none` without a match, `more` if the text is too short to decide. */
  end(text: string, at: number, whole: boolean): number
  /** Returns the start of what has to be masked with a match at `at`, if that is earlier. */
  begin?(text: string, at: number): number
}

export const none = -1
export const more = -2
export const beginningLength = 4

/** The value exactly as written. */
export function exactForm(written: string): Form {
  return {
    size: written.length,
    beginnings: new Set([written.slice(0, beginningLength)]),
    end(text, at, whole) {
      if (text.startsWith(written, at)) return at + written.length
      return !whole && endsWithin(text, at, written) ? more : none
    },
  }
}

/** True if the text ends before `written` does, and matches until there. */
export function endsWithin(text: string, at: number, written: string): boolean {
  return at + written.length > text.length && written.startsWith(text.slice(at))
}

/** All possible beginnings of a sequence of choices. */
export function beginningsOf(choices: Iterable<Iterable<string>>): Set<string> {
  const done = new Set<string>()
  let open = new Set([''])
  for (const choice of choices) {
    const next = new Set<string>()
    for (const before of open) {
      for (const written of choice) {
        const beginning = before + written
        if (beginning.length < beginningLength) next.add(beginning)
        else done.add(beginning.slice(0, beginningLength))
      }
    }
    open = next
    if (open.size === 0) break
  }
  return done
}

/** Cuts choices to the length of a beginning. */
export function shortened(choices: Iterable<string>, length = beginningLength): string[] {
  return [...new Set(Array.from(choices, written => written.slice(0, length)))]
}
