import { timestamp } from '../../../src/clock.ts'
import { maskSecrets, maskStream } from '../../../src/masking/mask.ts'
import type { InstanceSpec, LogEntry } from '../driver.ts'
import { type Fleet, specOf } from '../records/fleet.ts'
import type { Instance } from '../schema.ts'

/** What is masked wherever an instance's log is shown: what of its settings is secret, and its secret variables. */
export function secretsInLog(fleet: Fleet, instance: Instance): string[] {
  return [...secretsOf(specOf(fleet, instance)), ...fleet.variables(instance.id).secrets]
}

function secretsOf({ passwordHash, environment }: InstanceSpec): string[] {
  const { LONGHOUSE_SECRET_KEY, LONGHOUSE_SECRET_KEYS_BEFORE = '', SMTP_URL } = environment
  const mail = SMTP_URL === undefined ? [] : [SMTP_URL, passwordIn(SMTP_URL)]
  return [passwordHash, LONGHOUSE_SECRET_KEY, ...LONGHOUSE_SECRET_KEYS_BEFORE.split(','), ...mail].filter(
    value => value !== undefined && value !== '',
  ) as string[]
}

function passwordIn(url: string): string {
  try {
    return decodeURIComponent(new URL(url).password)
  } catch {
    return ''
  }
}

/** What acts on a terminal or reorders what is shown: control characters but tabs and line ends, and those for the direction. */
const unshown = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/** A line as people read it: without secrets and without characters that would act on their terminal. */
export function cleanEntry(entry: LogEntry, secrets: readonly string[]): LogEntry {
  const { text, isCut = false } = entry
  // The end of a line that was cut may be the beginning of a secret.
  const masked = isCut ? `${maskStream(secrets).push(text)}…` : maskSecrets(text, secrets)
  return {
    ...entry,
    text: masked.replace(unshown, one => (one === '\t' || one === '\n' ? one : '\uFFFD')),
  }
}

/** What an error quotes of a line at most. */
const mostQuoted = 2000

/** The text of a line as an error quotes it. */
export function quoteEntry({ text, isCut = false, ...entry }: LogEntry, secrets: readonly string[]): string {
  const quoted = { ...entry, text: text.slice(0, mostQuoted), isCut: isCut || text.length > mostQuoted }
  return cleanEntry(quoted, secrets).text
}

/** A line in a text: its time, its stream if that is the error output, and what was written. */
export function entryText({ at, stream, text }: LogEntry): string {
  return `${timestamp(at) ?? '-'} ${stream === 'err' ? 'err' : 'out'} ${text}`
}

/** The lines that have all the words of `search`, with secrets masked: a word that is masked is not found. */
export async function* matching(
  lines: AsyncIterable<LogEntry>,
  { search, secrets }: { search: string; secrets: readonly string[] },
): AsyncGenerator<LogEntry> {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  for await (const line of lines) {
    const entry = cleanEntry(line, secrets)
    const text = entry.text.toLowerCase()
    if (words.every(word => text.includes(word))) yield entry
  }
}

/** The last so many lines, oldest first. */
export async function newest(lines: AsyncIterable<LogEntry>, most: number): Promise<LogEntry[]> {
  const found: LogEntry[] = []
  for await (const line of lines) {
    found.push(line)
    if (found.length > most) found.shift()
  }
  return found
}
