/** A request as RFC 9112 has it, read by other code than what is tested. */
export interface ReadRequest {
  method: string
  /** Path and query. */
  path: string
  /** Of each header its name in lower case, and its value. */
  headers: readonly (readonly [name: string, value: string])[]
  /** Undefined without exactly one. */
  host: string | undefined
  body: string
}

/** What stands behind the last request. */
export type Rest =
  /** Nothing. */
  | 'clean'
  /** The beginning of one more. */
  | 'partial'
  /** What could be read in two ways, or in none. */
  | 'malformed'
  /** Bytes that are no request, because the one before ends the connection, or may switch its protocol. */
  | 'over'

// RFC 9112, section 3: more spaces before the version are harmless, because a target has none.
const line = /^([!#$%&'*+.^_`|~\w-]+) ([\x21-\x7e]+) +HTTP\/1\.([01])$/
const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
const absolute = /^http:\/\/([^/?#]*)([^#]*)$/i

class Malformed extends Error {}
class Partial extends Error {}

/** Reads all requests in these bytes, as strictly as can be. */
export function readRequests(text: string): { requests: ReadRequest[]; rest: Rest; length: number } {
  const requests: ReadRequest[] = []
  let at = 0
  try {
    while (at < text.length) {
      const { request, end, last } = readOne(text, at)
      requests.push(request)
      at = end
      if (last) return { requests, rest: 'over', length: at }
    }
    return { requests, rest: 'clean', length: at }
  } catch (error) {
    if (error instanceof Malformed) return { requests, rest: 'malformed', length: at }
    if (error instanceof Partial) return { requests, rest: 'partial', length: at }
    throw error
  }
}

function readOne(text: string, start: number): { request: ReadRequest; end: number; last: boolean } {
  // RFC 9112, section 2.2: empty lines before a request are passed over, however they end.
  let at = start
  while (text[at] === '\r' || text[at] === '\n') at++
  if (at === text.length) throw new Partial()
  const head = linesTo(text, at)
  const [, method = '', target = '', minor = ''] = line.exec(head.lines[0] ?? '') ?? fail()
  const headers = head.lines.slice(1).map(fieldOf)
  const all = (name: string) => headers.filter(([each]) => each === name).map(([, value]) => value)
  const hosts = all('host')
  const { body, end } = bodyOf(text, head.end, {
    lengths: all('content-length'),
    codings: all('transfer-encoding'),
    minor,
  })
  const options = all('connection').flatMap(value => value.toLowerCase().split(/[ \t]*,[ \t]*/))
  const closes = options.includes('close') || (minor === '0' && !options.includes('keep-alive'))
  const upgrades = options.includes('upgrade') && all('upgrade').length > 0
  const inForm = absolute.exec(target)
  const path = inForm ? (inForm[2]?.startsWith('/') ? inForm[2] : `/${inForm[2]}`) : target
  const isOne = hosts.length === 1 && (!inForm || inForm[1]?.toLowerCase() === hosts[0]?.toLowerCase())
  const request = { method, path, headers, host: isOne ? hosts[0] : undefined, body }
  return { request, end, last: closes || upgrades || method === 'CONNECT' }
}

/** The lines up to the empty one. */
function linesTo(text: string, start: number): { lines: string[]; end: number } {
  const lines: string[] = []
  for (let at = start; ; ) {
    const found = lineAt(text, at)
    at = found.end
    if (found.line === '') return { lines, end: at }
    lines.push(found.line)
  }
}

function lineAt(text: string, start: number): { line: string; end: number } {
  const end = text.indexOf('\r\n', start)
  if (end < 0) throw new Partial()
  const found = text.slice(start, end)
  if (/[\r\n\0]/.test(found)) throw new Malformed()
  return { line: found, end: end + 2 }
}

function fieldOf(text: string): readonly [string, string] {
  const [, name = '', value = ''] = field.exec(text) ?? fail()
  return [name.toLowerCase(), value]
}

function bodyOf(
  text: string,
  start: number,
  { lengths, codings, minor }: { lengths: string[]; codings: string[]; minor: string },
): { body: string; end: number } {
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
    if (!isChunked || lengths.length > 0 || minor === '0') throw new Malformed()
    return chunksOf(text, start)
  }
  if (lengths.length === 0) return { body: '', end: start }
  const [length = ''] = lengths
  if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) throw new Malformed()
  const end = start + Number(length)
  if (end > text.length) throw new Partial()
  return { body: text.slice(start, end), end }
}

function chunksOf(text: string, start: number): { body: string; end: number } {
  let body = ''
  for (let at = start; ; ) {
    const { line: sizes, end: from } = lineAt(text, at)
    const [, digits = ''] = /^([\da-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(sizes) ?? fail()
    const size = Number.parseInt(digits, 16)
    if (size === 0) {
      const trailers = linesTo(text, from)
      trailers.lines.forEach(fieldOf)
      return { body, end: trailers.end }
    }
    if (from + size + 2 > text.length) throw new Partial()
    if (!text.startsWith('\r\n', from + size)) throw new Malformed()
    body += text.slice(from, from + size)
    at = from + size + 2
  }
}

function fail(): never {
  throw new Malformed()
}
