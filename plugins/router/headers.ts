import type { Origin } from './peer.ts'

/** Names the instance that a request is for and that an answer is from. */
export const identityHeader = 'Longhouse-Instance'
const identity = identityHeader.toLowerCase()

/** Speak of one connection only (RFC 9110, section 7.6.1), and so end here. */
const hopByHop = [
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
/** Said by us and believed by instances; what a client writes there goes no further. */
const ownWords = [identity, 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']

const endsHere = { request: wordSet([...hopByHop, ...ownWords]), response: wordSet([...hopByHop, identity]) }

/** What decides where a request goes and how it is copied. Header arrays are as node has them: name, value, … */
export interface Head {
  host: string | undefined
  hosts: number
  /** Names that `Connection` lists besides its own words; they end here too. */
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
    headers.push(name, raw[i + 1] as string)
  }
  headers.push('X-Forwarded-For', origin.client)
  headers.push('X-Forwarded-Proto', origin.proto)
  headers.push('X-Forwarded-Host', origin.host)
  headers.push(identityHeader, instanceId)
  return headers
}

/** A cookie is its instance's own: with a domain, one tenant could set those of its neighbours and of the control plane. */
const cookieDomain = /;[\t ]*domain[\t ]*(=[^;]*)?(?=;|$)/gi

/** An instance's answer, as far as it may go on. */
export interface Answer {
  headers: string[]
  /** Undefined when the instance did not name itself, or did so twice. */
  instanceId: string | undefined
  /** Bytes that the body will have, when that is said; -1 when it is not. */
  length: number
  codings: string | undefined
  trailer: string | undefined
}

export function readAnswer(raw: readonly string[]): Answer {
  const headers: string[] = []
  const answer: Answer = {
    headers,
    instanceId: undefined,
    length: -1,
    codings: undefined,
    trailer: undefined,
  }
  let listed: string[] | undefined
  let contentLength: string | undefined
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
      else if (lower === 'transfer-encoding') answer.codings = value.toLowerCase()
      else if (lower === 'trailer') answer.trailer = value
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      contentLength = value
    } else if (name.length === 10 && name.toLowerCase() === 'set-cookie') {
      headers.push(name, value.replace(cookieDomain, ''))
    } else headers.push(name, value)
  }
  if (identities !== 1) answer.instanceId = undefined
  if (listed) answer.headers = without(headers, listed)
  if (contentLength !== undefined) {
    // Last, because node rewrites the bytes of a Content-Disposition that comes after it.
    answer.headers.push('Content-Length', contentLength)
    answer.length = Number(contentLength)
  }
  return answer
}

/** Trailers as far as they may go on: none that frames or routes a message or says who somebody is. */
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
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'host',
  'set-cookie',
])

function claimsOrigin(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first !== 120 && first !== 88) return false // x, X
  const lower = name.toLowerCase()
  return lower.startsWith('x-forwarded-') || lower === 'x-real-ip'
}

/** Framing and routing headers stay whatever is listed: dropping them would change what the message means. */
function listedNames(value: string, before: string[] | undefined): string[] | undefined {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return before
  const names = value
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '' && name !== 'host' && name !== 'content-length')
  return [...(before ?? []), ...names]
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, i) => !names.includes((headers[i - (i % 2)] as string).toLowerCase()))
}

/** A set of lower-case names that is asked with names of any case; most names are told apart by length alone. */
function wordSet(words: readonly string[]) {
  const lengths: boolean[] = Array.from({ length: 32 }, (_, length) =>
    words.some(word => word.length === length),
  )
  const set = new Set(words)
  return {
    has: (name: string) => name.length < 32 && lengths[name.length] === true && set.has(name.toLowerCase()),
  }
}
