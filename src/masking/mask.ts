import { base64Forms } from './base64-form.ts'
import { beginningLength, exactForm, type Form, more } from './form.ts'
import { inBothCases, spelledForm } from './spelled-form.ts'

const mask = '***'
/** Shorter values would match parts of every log by chance. */
export const shortestMasked = 4

/**
 * Replaces every value in a text, also where it is encoded: for JSON at any depth, for HTML, for an address, in hex
 * or base64, alone or within other text. Each line of a value counts.
 */
export function maskSecrets(text: string, values: Iterable<string>): string {
  const search = searchFor(values)
  return search ? maskFound(text, search, true).emitted : text
}

/** Does the same for every string and number in a JSON value, including field names. */
export function maskJson(json: unknown, values: Iterable<string>): unknown {
  const search = searchFor(values)
  if (!search) return json
  const masked = (text: string) => maskFound(text, search, true).emitted
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
  /** Returns what may be emitted by now: a value split across two writes must not slip through. */
  push(text: string): string
  /** Returns the pending rest. */
  end(): string
}

/** Masks a text that arrives in pieces. At most about the length of the longest value is pending. */
export function maskStream(values: Iterable<string>): SecretMask {
  const search = searchFor(values)
  let pending = ''
  const pass = (text: string, whole: boolean) => {
    if (!search) return text
    const found = maskFound(pending + text, search, whole)
    pending = found.pending
    return found.emitted
  }
  return { push: text => pass(text, false), end: () => pass('', true) }
}

/**
 * The search for all forms of the values. Not a regular expression: a long key has thousands of forms, too many for
 * one, and many megabytes of log have to pass quickly.
 */
interface Search {
  /** Forms by their first characters, the longest first: a value that contains another is masked as a whole. */
  byBeginning: ReadonlyMap<string, Form[]>
  /** All shorter beginnings of forms. */
  shortBeginnings: ReadonlySet<string>
  /**
   * A filter that skips nearly all text: 1 at the first two characters of any form, and at the hash of any beginning.
   */
  pairs: Uint8Array
  filter: Uint8Array
}

/** A small cache: each run of a job masks several times with the same values. */
const recent: { key: string; search: Search | null }[] = []
const mostRecent = 8

function searchFor(values: Iterable<string>): Search | null {
  const all = [...values]
  const key = JSON.stringify(all)
  const known = recent.find(one => one.key === key)
  if (known) return known.search
  const search = newSearch(all)
  recent.unshift({ key, search })
  recent.splice(mostRecent)
  return search
}

function newSearch(values: readonly string[]): Search | null {
  const forms = formsOf(values)
  if (forms.length === 0) return null
  const byBeginning = new Map<string, Form[]>()
  const pairs = new Uint8Array(0x10000)
  const filter = new Uint8Array(0x10000)
  const shortBeginnings = new Set<string>()
  for (const form of forms) {
    for (const beginning of form.beginnings) {
      const others = byBeginning.get(beginning)
      if (others) others.push(form)
      else byBeginning.set(beginning, [form])
    }
  }
  for (const beginning of byBeginning.keys()) {
    pairs[pairOf(beginning.charCodeAt(0), beginning.charCodeAt(1))] = 1
    filter[hashAt(beginning, 0)] = 1
    for (let length = 1; length < beginningLength; length++) shortBeginnings.add(beginning.slice(0, length))
  }
  return { byBeginning, shortBeginnings, pairs, filter }
}

/** `pending` may be the beginning of a value; it is empty for a text that is `whole`. */
function maskFound(text: string, search: Search, whole: boolean): { emitted: string; pending: string } {
  const { byBeginning, shortBeginnings, pairs, filter } = search
  let emitted = ''
  let from = 0
  let at = 0
  let next = text.charCodeAt(0)
  for (; at + beginningLength <= text.length; at++) {
    const code = next
    next = text.charCodeAt(at + 1)
    if (pairs[pairOf(code, next)] === 0 || filter[hashAt(text, at)] === 0) continue
    const forms = byBeginning.get(text.slice(at, at + beginningLength))
    if (!forms) continue
    let begin = at
    let end = at
    for (const form of forms) {
      const found = form.end(text, at, whole)
      if (found === more) return { emitted: emitted + text.slice(from, at), pending: text.slice(at) }
      if (found > end) begin = Math.max(from, form.begin?.(text, at) ?? at)
      end = Math.max(end, found)
    }
    if (end === at) continue
    emitted += text.slice(from, begin) + mask
    from = end
    at = end - 1
    next = text.charCodeAt(end)
  }
  if (!whole) {
    for (at = Math.max(at, from); at < text.length; at++) {
      if (shortBeginnings.has(text.slice(at)))
        return { emitted: emitted + text.slice(from, at), pending: text.slice(at) }
    }
  }
  return { emitted: emitted + text.slice(from), pending: '' }
}

function pairOf(first: number, second: number): number {
  return (first ^ (second << 8)) & 0xffff
}

function hashAt(text: string, at: number): number {
  const first = text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 4)
  return (first ^ (text.charCodeAt(at + 2) << 8) ^ (text.charCodeAt(at + 3) << 11)) & 0xffff
}

/** Longest first. */
function formsOf(values: Iterable<string>): Form[] {
  const parts = new Set<string>()
  const encoded = new Set<string>()
  for (const value of values) {
    for (const part of [value, ...value.split(/\r?\n/)]) for (const one of [part, part.trim()]) parts.add(one)
    for (const one of [value, value.trim()]) {
      for (const form of [one, JSON.stringify(one).slice(1, -1), encodeURIComponent(one.toWellFormed())])
        encoded.add(form)
    }
  }
  const long = (one: string) => one.length >= shortestMasked
  const forms = [
    ...[...parts].filter(long).flatMap(part => [spelledForm(part), ...bytewiseForms(part).map(exactForm)]),
    ...[...encoded].filter(long).flatMap(base64Forms),
  ]
  return forms.sort((a, b) => b.size - a.size)
}

/** The number of bytes of a buffer that Node prints. */
const shownBytes = 50

/** Each byte as two digits, as in dumps, fingerprints and escapes, and each character as JSON may escape it. */
function bytewiseForms(value: string): string[] {
  const hex = Buffer.from(value).toString('hex')
  const shown = hex.slice(0, shownBytes * 2)
  const units = Array.from({ length: value.length }, (_, i) =>
    value.charCodeAt(i).toString(16).padStart(4, '0'),
  )
  return [
    ...inBothCases(hex).flatMap(digits => {
      const pairs = digits.match(/../g) ?? []
      return [digits, pairs.join(':'), pairs.join('-'), `%${pairs.join('%')}`, `\\x${pairs.join('\\x')}`]
    }),
    ...inBothCases(shown).map(digits => (digits.match(/../g) ?? []).join(' ')),
    ...inBothCases(units.join(' ')).map(digits => `\\u${digits.replaceAll(' ', '\\u')}`),
  ]
}
