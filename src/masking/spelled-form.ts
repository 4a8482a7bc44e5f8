import { beginningsOf, endsWithin, type Form, more, none, shortened } from './form.ts'

/**
 * Matches a value whose letters and digits are unchanged, while every other character may have any of its spellings:
 * as it is, escaped for JSON or a shell at any depth, for HTML or for an address, also nested.
 */
export function spelledForm(value: string): Form {
  const units = unitsOf(value)
  return {
    size: value.length,
    beginnings: beginningsOf(units.map(unit => unit.beginnings)),
    end(text, at, whole) {
      let ends = [at]
      let mayGoOn = false
      for (const unit of units) {
        const next: number[] = []
        for (const from of ends) mayGoOn = unit.ends(text, from, next) || mayGoOn
        ends = next.length > 1 ? [...new Set(next)] : next
        if (ends.length === 0) break
      }
      if (mayGoOn && !whole) return more
      return ends.length === 0 ? none : Math.max(...ends)
    },
  }
}

interface Unit {
  beginnings: string[]
  /** Adds the possible ends; returns true if the text ends within it. */
  ends(text: string, at: number, ends: number[]): boolean
}

/** One per character: a key with many lines has few different ones. */
const characterUnits = new Map<string, Unit>()
const mostKept = 256

function unitsOf(value: string): Unit[] {
  return (value.match(/[A-Za-z0-9]+|\\+|./gsu) ?? []).map(written => {
    if (/^[A-Za-z0-9]/.test(written)) return plainUnit(written)
    if (written.startsWith('\\')) return backslashes(written.length)
    const unit = characterUnits.get(written) ?? characterUnit(written)
    if (characterUnits.size < mostKept) characterUnits.set(written, unit)
    return unit
  })
}

function plainUnit(written: string): Unit {
  return { beginnings: [written], ends: (text, at, ends) => oneOf([written], text, at, ends) }
}

/** At least this many: each level of escaping doubles them. The last one may belong to the next character. */
function backslashes(count: number): Unit {
  return {
    beginnings: backslash.flatMap(one => [one, one.repeat(2), one.repeat(3), one.repeat(4)]),
    ends(text, at, ends) {
      const run = backslashRun(text, at)
      if (run.ends.length > count) ends.push(run.ends.at(-1) as number)
      if (run.ends.length > count + 1) ends.push(run.ends.at(-2) as number)
      return run.mayGoOn
    },
  }
}

function characterUnit(character: string): Unit {
  const plain = plainSpellings(character)
  const afterBackslashes = [...(/^[!-~]$/.test(character) ? plain : []), ...escapedSpellings(character)]
  return {
    beginnings: shortened([
      ...plain,
      ...backslash.flatMap(one =>
        [1, 2, 3, 4].flatMap(n => afterBackslashes.map(next => one.repeat(n) + next)),
      ),
    ]),
    ends(text, at, ends) {
      let mayGoOn = oneOf(plain, text, at, ends)
      const run = backslashRun(text, at)
      mayGoOn ||= run.mayGoOn
      if (run.ends.length > 1)
        mayGoOn = oneOf(afterBackslashes, text, run.ends.at(-1) as number, ends) || mayGoOn
      return mayGoOn
    },
  }
}

function oneOf(spellings: string[], text: string, at: number, ends: number[]): boolean {
  let mayGoOn = false
  for (const written of spellings) {
    if (text.startsWith(written, at)) ends.push(at + written.length)
    else mayGoOn ||= endsWithin(text, at, written)
  }
  return mayGoOn
}

const backslash = ['\\', '%5C', '%5c', '%255C', '%255c', '&#92;', '&#x5C;', '&#x5c;']
/** Six levels of escaping; a longer run is not part of a value, and is emitted. */
const mostBackslashes = 64

/** The ends of each backslash in a run, starting with the run's beginning. */
function backslashRun(text: string, at: number): { ends: number[]; mayGoOn: boolean } {
  const ends = [at]
  for (let from = at; ends.length <= mostBackslashes; ) {
    const next: number[] = []
    const mayGoOn = oneOf(backslash, text, from, next)
    if (next[0] === undefined) return { ends, mayGoOn }
    from = next[0]
    ends.push(from)
  }
  return { ends, mayGoOn: false }
}

function plainSpellings(character: string): string[] {
  const hex = Buffer.from(character).toString('hex')
  return [
    ...new Set([
      character,
      character.toWellFormed(),
      ...(character === ' ' ? ['+'] : []),
      ...inBothCases(hex).flatMap(bytes => ['%', '%25'].map(sign => bytes.replace(/../g, `${sign}$&`))),
      ...htmlSpellings(character),
    ]),
  ]
}

const htmlNames: Record<string, string[]> = {
  '&': ['amp', 'AMP'],
  '<': ['lt', 'LT'],
  '>': ['gt', 'GT'],
  '"': ['quot', 'QUOT'],
  "'": ['apos'],
}

function htmlSpellings(character: string): string[] {
  const code = character.codePointAt(0) as number
  const names = [
    ...(htmlNames[character] ?? []),
    `#${code}`,
    `#${String(code).padStart(3, '0')}`,
    ...inBothCases(code.toString(16)).flatMap(hex => [`#x${hex}`, `#x${hex.padStart(2, '0')}`, `#X${hex}`]),
  ]
  return names.flatMap(name => [`&${name};`, `&amp;${name};`])
}

const escapeLetters: Record<string, string> = {
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\b': 'b',
  '\f': 'f',
  '\v': 'v',
}

/** The spellings after one or more backslashes. */
function escapedSpellings(character: string): string[] {
  const code = character.codePointAt(0) as number
  const letter = escapeLetters[character]
  const units = [...Array(character.length).keys()].map(i =>
    character.charCodeAt(i).toString(16).padStart(4, '0'),
  )
  return [
    ...(letter ? [letter] : []),
    ...inBothCases(units.join(' ')).flatMap(hex =>
      (character.length > 1 ? [1, 2, 4, 8] : [1]).map(n => `u${hex.replace(' ', `${'\\'.repeat(n)}u`)}`),
    ),
    ...(code < 0x100 ? inBothCases(code.toString(16).padStart(2, '0')).map(hex => `x${hex}`) : []),
  ]
}

export function inBothCases(hex: string): string[] {
  return [...new Set([hex.toLowerCase(), hex.toUpperCase()])]
}
