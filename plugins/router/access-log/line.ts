/** One request for an instance, as the access log tells of it. */
export interface AccessEntry {
  /** When its head had arrived, in milliseconds since the epoch. */
  at: number
  requestId: string | null
  client: string
  /** The instance's subdomain; null when the request names none. */
  instance: string | null
  host: string
  method: string
  /** As the client wrote it, query included. */
  target: string
  /** Such as `1.1`. */
  httpVersion: string
  /** 499 when the client was gone before there was an answer. */
  status: number
  /** False when the answer did not arrive whole. */
  complete: boolean
  /** Bytes of bodies that were passed on. */
  bytesIn: number
  bytesOut: number
  durationMs: number
  /** Until the head of the instance's answer; null when there was none. */
  upstreamMs: number | null
  /** The problem with which the edge answered itself. */
  problem: string | null
  referrer: string | undefined
  userAgent: string | undefined
}

export type AccessLogFormat = 'json' | 'combined'

/** How long each may be when it is escaped. A line is shorter than what a pipe takes at once, 4096 bytes. */
const most = { target: 2000, host: 250, header: 400, name: 64 }

/**
 * Writes an entry as one line of printable ASCII: nothing that a client sends can end a line, a field, or reach a terminal as
 * a control character. Without `query`, what follows a `?` is left out of addresses.
 */
export function accessLine(entry: AccessEntry, format: AccessLogFormat, query: boolean): string {
  return format === 'json' ? jsonLine(entry, query) : combinedLine(entry, query)
}

function jsonLine(entry: AccessEntry, query: boolean): string {
  const { requestId, instance, upstreamMs, problem, referrer, userAgent } = entry
  return (
    `{"time":"${isoTime(entry.at)}"` +
    (requestId === null ? '' : `,"request_id":${inJson(requestId, most.host)}`) +
    `,"client":${inJson(entry.client, most.name)}` +
    (instance === null ? '' : `,"instance":${inJson(instance, most.name)}`) +
    `,"host":${inJson(entry.host, most.host)},"method":${inJson(entry.method, most.name)}` +
    `,"path":${inJson(addressOf(entry.target, query), most.target)},"protocol":"HTTP/${entry.httpVersion}"` +
    `,"status":${entry.status}${entry.complete ? '' : ',"complete":false'}` +
    (problem === null ? '' : `,"problem":"${problem}"`) +
    `,"bytes_in":${entry.bytesIn},"bytes_out":${entry.bytesOut},"duration_ms":${rounded(entry.durationMs)}` +
    (upstreamMs === null ? '' : `,"upstream_ms":${rounded(upstreamMs)}`) +
    (referrer === undefined ? '' : `,"referrer":${inJson(addressOf(referrer, query), most.header)}`) +
    (userAgent === undefined ? '}\n' : `,"user_agent":${inJson(userAgent, most.header)}}\n`)
  )
}

/** The combined format of Apache and nginx, and after it host, request id, and the two times in seconds. */
function combinedLine(entry: AccessEntry, query: boolean): string {
  const { requestId, upstreamMs, referrer, userAgent } = entry
  const target = inQuotes(addressOf(entry.target, query), most.target)
  const from = referrer === undefined ? '-' : inQuotes(addressOf(referrer, query), most.header)
  const agent = userAgent === undefined ? '-' : inQuotes(userAgent, most.header)
  const id = requestId === null ? '-' : inQuotes(requestId, most.host)
  return (
    `${inQuotes(entry.client, most.name)} - - [${apacheTime(entry.at)}] "${inQuotes(entry.method, most.name)} ${target} HTTP/${entry.httpVersion}" ` +
    `${entry.status} ${entry.bytesOut} "${from}" "${agent}" ` +
    `"${inQuotes(entry.host, most.host)}" "${id}" ${seconds(entry.durationMs)} ` +
    `${upstreamMs === null ? '-' : seconds(upstreamMs)}\n`
  )
}

/** Queries have tokens and personal data in them. */
function addressOf(target: string, query: boolean): string {
  if (query) return target
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

const special = /[^ !#-[\]-~]/

function inJson(text: string, most: number): string {
  return `"${escaped(text, most, character =>
    character === '"' || character === '\\' ? `\\${character}` : `\\u${hex(character, 4)}`,
  )}"`
}

function inQuotes(text: string, most: number): string {
  return escaped(text, most, character =>
    character > '\xff' ? `\\u${hex(character, 4)}` : `\\x${hex(character, 2)}`,
  )
}

function escaped(text: string, most: number, write: (character: string) => string): string {
  if (!special.test(text)) return text.length > most ? text.slice(0, most) : text
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    const written = special.test(character) ? write(character) : character
    if (out.length + written.length > most) break
    out += written
  }
  return out
}

const hex = (character: string, digits: number) =>
  character.charCodeAt(0).toString(16).toUpperCase().padStart(digits, '0')

const rounded = (ms: number) => Math.round(ms * 1000) / 1000
const seconds = (ms: number) => (ms / 1000).toFixed(6)

let isoAt = Number.NaN
let iso = ''
let apacheAt = Number.NaN
let apache = ''

/** Many requests come in the same millisecond. */
function isoTime(at: number): string {
  const ms = Math.floor(at)
  if (ms !== isoAt) {
    isoAt = ms
    iso = new Date(ms).toISOString()
  }
  return iso
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function apacheTime(at: number): string {
  const second = Math.floor(at / 1000)
  if (second !== apacheAt) {
    apacheAt = second
    const text = new Date(second * 1000).toISOString()
    const [year = '', month = '', day = ''] = text.slice(0, 10).split('-')
    apache = `${day}/${months[Number(month) - 1]}/${year}:${text.slice(11, 19)} +0000`
  }
  return apache
}
