const mask = '***'
/** What is shorter stands in every log by chance. */
export const shortestMasked = 4

/**
 * The text with every value replaced, also where it stands encoded: for JSON, for an address, in base64, alone or within
 * something else. Lines of a value count each.
 */
export function maskSecrets(text: string, values: Iterable<string>): string {
  const search = searchFor(values)
  return search ? maskFound(text, search, true).told : text
}

/** The same for every string and number within a JSON value, names of fields included. */
export function maskJson(json: unknown, values: Iterable<string>): unknown {
  const search = searchFor(values)
  if (!search) return json
  const masked = (text: string) => maskFound(text, search, true).told
  const pass = (value: unknown): unknown => {
    if (typeof value === 'string') return masked(value)
    if (typeof value === 'number') return masked(String(value)) === String(value) ? value : mask
    if (Array.isArray(value)) return value.map(pass)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [masked(name), pass(field)]))
  }
  return pass(json)
}

export interface SecretMask {
  /** What may be told by now: a value that is cut in two by a write must not slip through. */
  push(text: string): string
  /** The rest. */
  end(): string
}

/** Masks a text that comes in pieces. It holds back at most as much as the longest value is long. */
export function maskStream(values: Iterable<string>): SecretMask {
  const search = searchFor(values)
  let held = ''
  const pass = (text: string, whole: boolean) => {
    if (!search) return text
    const found = maskFound(held + text, search, whole)
    held = found.held
    return found.told
  }
  return { push: text => pass(text, false), end: () => pass('', true) }
}

/**
 * What is looked for. Not a regular expression: a long key has thousands of forms in all, more than one can hold, and
 * a log of many megabytes is to be passed in little time.
 */
interface Search {
  /** By their first characters, the longest first: a value that contains another is masked whole. */
  byBeginning: ReadonlyMap<string, string[]>
  /** All that a form may begin with that is shorter than that. */
  shortBeginnings: ReadonlySet<string>
  /** Where the first character of some form, and the hash of some beginning, points to holds 1: these pass nearly all of a text. */
  firsts: Uint8Array
  filter: Uint8Array
}

function searchFor(values: Iterable<string>): Search | null {
  const forms = formsOf(values)
  if (forms.length === 0) return null
  const byBeginning = Map.groupBy(forms, form => form.slice(0, shortestMasked))
  const firsts = new Uint8Array(0x100)
  const filter = new Uint8Array(0x10000)
  const shortBeginnings = new Set<string>()
  for (const beginning of byBeginning.keys()) {
    firsts[beginning.charCodeAt(0) & 0xff] = 1
    filter[hashAt(beginning, 0)] = 1
    for (let length = 1; length < shortestMasked; length++) shortBeginnings.add(beginning.slice(0, length))
  }
  return { byBeginning, shortBeginnings, firsts, filter }
}

/** `held` may be the beginning of a value; nothing is held of a text that is `whole`. */
function maskFound(text: string, search: Search, whole: boolean): { told: string; held: string } {
  const { byBeginning, shortBeginnings, firsts, filter } = search
  let told = ''
  let from = 0
  let at = 0
  for (; at + shortestMasked <= text.length; at++) {
    if (firsts[text.charCodeAt(at) & 0xff] === 0 || filter[hashAt(text, at)] === 0) continue
    for (const form of byBeginning.get(text.slice(at, at + shortestMasked)) ?? []) {
      if (text.startsWith(form, at)) {
        told += text.slice(from, at) + mask
        from = at + form.length
        at = from - 1
        break
      }
      const mayGoOn = !whole && form.length > text.length - at && form.startsWith(text.slice(at))
      if (mayGoOn) return { told: told + text.slice(from, at), held: text.slice(at) }
    }
  }
  if (!whole) {
    for (at = Math.max(at, from); at < text.length; at++) {
      if (shortBeginnings.has(text.slice(at)))
        return { told: told + text.slice(from, at), held: text.slice(at) }
    }
  }
  return { told: told + text.slice(from), held: '' }
}

function hashAt(text: string, at: number): number {
  const first = text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 4)
  return (first ^ (text.charCodeAt(at + 2) << 8) ^ (text.charCodeAt(at + 3) << 11)) & 0xffff
}

/** Longest first. */
function formsOf(values: Iterable<string>): string[] {
  const forms = new Set<string>()
  for (const value of values) {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      for (const form of [
        part,
        part.trim(),
        JSON.stringify(part).slice(1, -1),
        encodeURIComponent(part.toWellFormed()),
        new URLSearchParams([['', part]]).toString().slice(1),
      ]) {
        if (form.length >= shortestMasked) forms.add(form)
      }
    }
    for (const form of base64Forms(value)) forms.add(form)
  }
  return [...forms].sort((a, b) => b.length - a.length)
}

/** What is shorter in base64 may stand in any of it by chance. */
const shortestBase64 = 8

/**
 * How a value looks within something that was encoded as a whole, such as `user:password`: that depends on where in a
 * group of three bytes it begins. Characters that its neighbours have a part in are left out.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap(before => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url')
    const end = Math.floor(((before + bytes.length) * 8) / 6)
    const own = encoded.slice(Math.ceil((before * 8) / 6), end)
    return own.length < shortestBase64 ? [] : [own, own.replaceAll('-', '+').replaceAll('_', '/')]
  })
}
