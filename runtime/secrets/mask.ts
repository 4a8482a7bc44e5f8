const mask = '***'
/** What is shorter stands in every log by chance. */
export const shortestMasked = 4

/** The text with every value replaced, also where it stands encoded for JSON or an address. Lines of a value count each. */
export function maskSecrets(text: string, values: Iterable<string>): string {
  return patternOf(values)?.[Symbol.replace](text, mask) ?? text
}

export interface SecretMask {
  /** What may be told by now: a value that is cut in two by a write must not slip through. */
  push(text: string): string
  /** The rest. */
  end(): string
}

/** Masks a text that comes in pieces. It holds back at most as much as the longest value is long. */
export function maskStream(values: Iterable<string>): SecretMask {
  const forms = formsOf(values)
  const pattern = patternOf(values)
  let held = ''
  const beginsValue = (tail: string) => forms.some(form => form.length > tail.length && form.startsWith(tail))
  return {
    push: text => {
      if (!pattern) return text
      held += text
      let from = Math.max(0, held.length - (forms[0]?.length ?? 0) + 1)
      while (from < held.length && !beginsValue(held.slice(from))) from++
      // A whole value that ends behind `from` is told masked, not cut there.
      for (const match of held.matchAll(pattern)) {
        if (match.index < from && match.index + match[0].length > from) from = match.index + match[0].length
      }
      const told = held.slice(0, from)
      held = held.slice(from)
      return told.replace(pattern, mask)
    },
    end: () => {
      const rest = pattern ? held.replace(pattern, mask) : held
      held = ''
      return rest
    },
  }
}

/** Longest first, so that a value which contains another is masked whole. */
function formsOf(values: Iterable<string>): string[] {
  const forms = new Set<string>()
  for (const value of values) {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      for (const form of [
        part,
        part.trim(),
        JSON.stringify(part).slice(1, -1),
        encodeURIComponent(part.toWellFormed()),
      ]) {
        if (form.length >= shortestMasked) forms.add(form)
      }
    }
  }
  return [...forms].sort((a, b) => b.length - a.length)
}

function patternOf(values: Iterable<string>): RegExp | null {
  const forms = formsOf(values)
  return forms.length === 0 ? null : new RegExp(forms.map(form => RegExp.escape(form)).join('|'), 'g')
}
