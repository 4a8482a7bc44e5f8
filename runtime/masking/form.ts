/** One way in which a value may stand in a text. */
export interface Form {
  /** Characters of the shortest text that it matches: of two that begin alike the longer is tried first. */
  readonly size: number
  /** Whatever it matches begins with one of these, which have `beginningLength` characters each. */
  readonly beginnings: ReadonlySet<string>
  /** Where the value ends that begins at `at`; `none` when there is none, `more` when the text is too short to tell. */
  end(text: string, at: number, whole: boolean): number
  /** Where what goes with a value that was found at `at` begins, if that is earlier. */
  begin?(text: string, at: number): number
}

export const none = -1
export const more = -2
export const beginningLength = 4

/** The value as it is written here. */
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

/** True when the text ends before `written` does, and is the same until there. */
export function endsWithin(text: string, at: number, written: string): boolean {
  return at + written.length > text.length && written.startsWith(text.slice(at))
}

/** All that something begins with which consists of one of the choices after the other. */
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

/** What is longer than a beginning is cut. */
export function shortened(choices: Iterable<string>, length = beginningLength): string[] {
  return [...new Set(Array.from(choices, written => written.slice(0, length)))]
}
