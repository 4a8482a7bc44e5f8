import { beginningLength, beginningsOf, endsWithin, type Form, more, none, shortened } from './form.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * The forms of a value inside a longer base64 text, such as `user:password`. They depend on the value's offset within
 * three bytes. The first and the last character share bits with their neighbours; they count as far as these bits
 * fit. Covers both alphabets, in one line or several.
 */
export function base64Forms(value: string): Form[] {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap(before => {
    const known = (before * 8) % 6
    const bits = known + bytes.length * 8
    const all = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(2)]).toString('base64')
    const first = Math.floor((before * 8) / 6)
    const own = [...all.slice(first, first + Math.ceil(bits / 6))]
    const full = Math.floor(bits / 6) - (known > 0 ? 1 : 0)
    if (full < beginningLength) return []
    const choices = own.map((character, i) =>
      i === 0 && known > 0 ? sharing(character, 6 - known, 'low').flatMap(spelled) : spelled(character),
    )
    const shared = bits % 6
    const last = shared === 0 ? null : sharing(own.at(-1) as string, shared, 'high').flatMap(spelled)
    const sure = last ? choices.slice(0, -1) : choices
    return [known > 2 ? wrappedForm(sure.slice(1), last, sure[0]) : wrappedForm(sure, last)]
  })
}

/** Characters that share so many bits at that end with this one. */
function sharing(character: string, bits: number, end: 'high' | 'low'): string[] {
  const own = alphabet.indexOf(character)
  const part = (index: number) => (end === 'high' ? index >> (6 - bits) : index & ((1 << bits) - 1))
  return [...alphabet].filter((_, index) => part(index) === part(own))
}

const spellings = new Map(Array.from(alphabet, character => [character, [character]]))
spellings.set('+', ['+', '-', '%2B', '%2b'])
spellings.set('/', ['/', '_', '%2F', '%2f', '\\/', '\\\\/'])

function spelled(character: string): string[] {
  return spellings.get(character) ?? [character]
}

const padding = ['=', '%3D', '%3d']

/**
 * `first` is a character of which two bits belong to the value. It has too many spellings to start a search with, so
 * it is masked with what follows unless it was emitted before.
 */
function wrappedForm(choices: string[][], last: string[] | null, first: string[] = []): Form {
  /** Returns the position after one of the choices at `at`. */
  const past = (written: string[], text: string, at: number): number => {
    for (const one of written) if (text.startsWith(one, at)) return at + one.length
    return written.some(one => endsWithin(text, at, one)) ? more : none
  }
  const tail = (text: string, at: number, whole: boolean): number => {
    let end = at
    for (const written of [last ?? [], padding, padding]) {
      const from = pastBreak(text, end)
      const next = from === more ? more : past(written, text, from)
      if (next === more && !whole) return more
      if (next < 0) return end
      end = next
    }
    return end
  }
  return {
    size: choices.length,
    beginnings: beginningsOf(
      choices
        .slice(0, beginningLength)
        .flatMap((written, i) => (i === 0 ? [written] : [breakBeginnings, written])),
    ),
    end(text, at, whole) {
      let end = at
      for (const [i, written] of choices.entries()) {
        const from = i === 0 ? end : pastBreak(text, end)
        if (from === more) return whole ? none : more
        end = past(written, text, from)
        if (end < 0) return end === more && !whole ? more : none
      }
      return last ? tail(text, end, whole) : end
    },
    begin: (text, at) => (first.includes(text.charAt(at - 1)) ? at - 1 : at),
  }
}

/** Also as they appear in JSON, in an address and in Node's own output of long texts. */
const lineEnds = [
  '\r\n',
  '\n',
  '\\r\\n',
  '\\n',
  '\\\\r\\\\n',
  '\\\\n',
  '%0D%0A',
  '%0A',
  '%0d%0a',
  '%0a',
  '&#10;',
  '&#13;&#10;',
]
const indents = ['', ' ', '  ', '   ', '\t', '\t\t', '\t\t\t', "' +\n", '" +\n']
const breakBeginnings = shortened(
  ['', ...lineEnds.flatMap(end => indents.map(indent => end + indent))],
  beginningLength - 1,
)
const mostIndented = 64

/** Returns the position after a line end and the next line's indentation; `at` itself if there is none. */
function pastBreak(text: string, at: number): number {
  const code = text.charCodeAt(at)
  const isBreak = code === 10 || code === 13 || code === 92 || code === 37 || code === 38
  if (!isBreak) return at === text.length ? more : at
  const found = lineEnds.find(end => text.startsWith(end, at))
  if (!found) return lineEnds.some(end => endsWithin(text, at, end)) ? more : at
  let from = at + found.length
  const quote = text[from]
  if (quote === "'" || quote === '"') {
    const joined = `${quote} +\n`
    if (endsWithin(text, from, joined)) return more
    if (!text.startsWith(joined, from)) return at
    from = pastIndent(text, from + joined.length)
    if (from === text.length) return more
    return text[from] === quote ? from + 1 : at
  }
  from = pastIndent(text, from)
  return from === text.length ? more : from
}

function pastIndent(text: string, at: number): number {
  let from = at
  while (from - at < mostIndented && (text[from] === ' ' || text[from] === '\t')) from++
  return from
}
