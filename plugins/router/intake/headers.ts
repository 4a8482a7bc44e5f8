import { identityHeader } from '../../../src/http/identity.ts'
import {
  type CookieKind,
  edgeCookieKinds,
  instanceCookieKinds,
  sessionCookieName,
} from '../../../src/http/session-cookie.ts'
import type { Origin } from './peer.ts'

const identity = identityHeader.toLowerCase()

/** Hop-by-hop headers (RFC 9110, section 7.6.1), which are never passed on. */
export const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** Headers that instances trust because we write them. A client's own are dropped. */
const ownWords = [
  identity,
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]

/**
 * Response headers that would affect more than the instance: browsers apply them to the whole domain, to other ports or
 * other servers, and a proxy in front may obey them.
 */
const speaksForOthers = [
  'clear-site-data',
  'alt-svc',
  'set-cookie2',
  'x-accel-redirect',
  'x-accel-buffering',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-sendfile',
  'x-lighttpd-send-file',
  'x-reproxy-url',
]

const endsHere = {
  request: wordSet([...hopByHop, ...ownWords]),
  response: wordSet([...hopByHop, identity, 'x-request-id', ...speaksForOthers]),
}

/** The headers that decide where a request goes and how it is copied. Header arrays are as in Node: name, value, … */
export interface Head {
  host: string | undefined
  hosts: number
  /** Names that `Connection` lists; these headers are not passed on either. */
  listed: readonly string[] | undefined
}

export function readHead(raw: readonly string[]): Head {
  let host: string | undefined
  let hosts = 0
  let listed: string[] | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') {
      host = raw[i + 1] as string
      hosts++
    } else if (name.length === 10 && name.toLowerCase() === 'connection') {
      listed = listedNames(raw[i + 1] as string, listed)
    }
  }
  return { host, hosts, listed }
}

export function instanceHeaders(
  raw: readonly string[],
  head: Head,
  origin: Origin,
  instanceId: string,
): string[] {
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (endsHere.request.has(name)) continue
    if (!origin.trusted && claimsOrigin(name)) continue
    if (head.listed?.includes(name.toLowerCase())) continue
    if (name.length === 6 && name.toLowerCase() === 'cookie') {
      const own = ownCookies(raw[i + 1] as string)
      if (own !== '') headers.push(name, own)
    } else headers.push(name, raw[i + 1] as string)
  }
  headers.push('X-Forwarded-For', origin.client)
  headers.push('X-Forwarded-Proto', origin.proto)
  headers.push('X-Forwarded-Host', origin.host)
  headers.push('Forwarded', forwarded(origin))
  headers.push('X-Request-Id', origin.requestId)
  headers.push(identityHeader, instanceId)
  return headers
}

/** The same as the value of `Forwarded` (RFC 7239). A host that cannot be quoted is left out. */
function forwarded({ client, proto, host }: Origin): string {
  const node = client.includes(':') ? `"[${client}]"` : client
  const named = host.includes('"') || host.includes('\\') ? '' : `;host="${host}"`
  return `for=${node};proto=${proto}${named}`
}

/** The size of a head in bytes, separators included. */
export function headBytes(headers: readonly string[]): number {
  let bytes = 0
  for (const each of headers) bytes += each.length + 2
  return bytes
}

/** The Domain attribute is removed. With it, one tenant could set cookies for its neighbours and the control plane. */
const cookieDomain = /;[\t ]*domain[\t ]*(=[^;]*)?(?=;|$)/gi

/** The runtime's own cookies, over HTTP and HTTPS. */
const runtimeCookies = cookieNames(instanceCookieKinds)
const edgeCookies = cookieNames(edgeCookieKinds)
/** How many other cookies an instance may set. Browsers keep about 180 for all hosts of a domain together. */
const mostCookies = 8

function cookieNames(kinds: readonly CookieKind[]): ReadonlySet<string> {
  return new Set(kinds.flatMap(kind => [false, true].map(https => sessionCookieName(https, kind))))
}

/** Whether only its own host can have set the cookie: browsers enforce that for this prefix. */
function isHostBound(name: string): boolean {
  return name.startsWith('__Host-') && !edgeCookies.has(name)
}

/** The cookies of this host among those that a browser sends. The others belong to siblings and the parent domain. */
function ownCookies(value: string): string {
  return value
    .split(';')
    .map(pair => pair.trim())
    .filter(pair => {
      const name = cookieName(pair)
      return runtimeCookies.has(name) || isHostBound(name)
    })
    .join('; ')
}

function cookieName(pair: string): string {
  return pair.split('=', 1)[0]?.trim() ?? ''
}

/** Whether an instance may set this cookie in a browser that already has `existing` for its host. */
function maySet(cookie: string, existing: Set<string>): boolean {
  const name = cookieName(cookie.split(';', 1)[0] ?? '')
  if (runtimeCookies.has(name)) return true
  if (!isHostBound(name) || cookie.length > 4096) return false
  existing.add(name)
  return existing.size <= mostCookies
}

/** The host-bound cookies of a request, without the runtime's. */
function existingCookies(raw: readonly string[]): Set<string> {
  const names = raw
    .filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === 'cookie')
    .flatMap(value => value.split(';').map(pair => cookieName(pair.trim())))
  return new Set(names.filter(name => isHostBound(name) && !runtimeCookies.has(name)))
}

/** HSTS for this host only. Null when the value has no max-age. */
function ownTransportSecurity(value: string): string | null {
  const age = /(?:^|;)\s*max-age\s*=\s*"?(\d+)"?\s*(?:;|$)/i.exec(value)?.[1]
  return age === undefined ? null : `max-age=${age}`
}

/** The parts of an instance's answer that may be passed on. */
export interface Answer {
  headers: string[]
  /** Undefined when the instance did not identify itself, or did so twice. */
  instanceId: string | undefined
  /** Whether the body is a stream of events, which does not end by itself. */
  events: boolean
  trailer: string | undefined
  /** The protocol that a 101 switches to. */
  upgrade: string | undefined
}

/** `asked` are the request's headers. */
export function readAnswer(raw: readonly string[], asked: readonly string[]): Answer {
  const headers: string[] = []
  const answer: Answer = {
    headers,
    instanceId: undefined,
    events: false,
    trailer: undefined,
    upgrade: undefined,
  }
  let listed: string[] | undefined
  let contentLength: string | undefined
  let existing: Set<string> | undefined
  let identities = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (endsHere.response.has(name)) {
      const lower = name.toLowerCase()
      if (lower === identity) {
        identities++
        answer.instanceId = value
      } else if (lower === 'connection') listed = listedNames(value, listed)
      else if (lower === 'trailer') answer.trailer = value
      else if (lower === 'upgrade') answer.upgrade = value
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      contentLength = value
    } else if (name.length === 10 && name.toLowerCase() === 'set-cookie') {
      existing ??= existingCookies(asked)
      if (maySet(value, existing)) headers.push(name, value.replace(cookieDomain, ''))
    } else if (name.length === 25 && name.toLowerCase() === 'strict-transport-security') {
      const own = ownTransportSecurity(value)
      if (own !== null) headers.push(name, own)
    } else {
      if (name.length === 12 && name.toLowerCase() === 'content-type')
        answer.events = value.startsWith('text/event-stream')
      headers.push(name, value)
    }
  }
  if (identities !== 1) answer.instanceId = undefined
  if (listed) answer.headers = without(headers, listed)
  if (contentLength !== undefined) {
    // Last, because Node rewrites the bytes of a Content-Disposition that follows it.
    answer.headers.push('Content-Length', contentLength)
  }
  return answer
}

/** The trailers that may be passed on: none that frames or routes a message, or carries an identity. */
export function passableTrailers(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (!endsHere.request.has(name) && !claimsOrigin(name) && !untrailable.has(name)) {
      pairs.push([name, raw[i + 1] as string])
    }
  }
  return pairs
}

const untrailable = wordSet([
  ...speaksForOthers,
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'host',
  'set-cookie',
  'strict-transport-security',
])

function claimsOrigin(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first !== 120 && first !== 88) return false // x, X
  const lower = name.toLowerCase()
  return lower.startsWith('x-forwarded-') || lower === 'x-real-ip'
}

const framing: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding'])

/** Reads the names that `Connection` lists. Framing and routing headers stay even when listed: dropping them would change the message. */
function listedNames(value: string, before: string[] | undefined): string[] | undefined {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return before
  const names = value
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '' && !framing.has(name))
  return [...(before ?? []), ...names]
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, i) => !names.includes((headers[i - (i % 2)] as string).toLowerCase()))
}

/** A case-insensitive set of names. Most lookups end at the comparison of lengths. */
function wordSet(words: readonly string[]) {
  const lengths: boolean[] = Array.from({ length: 32 }, (_, length) =>
    words.some(word => word.length === length),
  )
  const set = new Set(words)
  return {
    has: (name: string) => name.length < 32 && lengths[name.length] === true && set.has(name.toLowerCase()),
  }
}
