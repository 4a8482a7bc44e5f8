/** Why an instance's answer cannot be passed on. */
export class UnreadableAnswer extends Error {
  override name = 'UnreadableAnswer'
}

/** The head of an answer, and what it says about the body (RFC 9112, sections 4 to 6). */
export interface AnswerHead {
  status: number
  reason: string
  /** As in Node: name, value, name, value, … in the order and case in which they arrived. */
  headers: string[]
  /** The length of the body in bytes; -1 when the head does not give it. */
  length: number
  chunked: boolean
  /** False when the connection ends with this answer. */
  keepAlive: boolean
}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t -~\x80-\xff]*))?$/
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** What no field value may have: control characters, the tab aside. */
const control = /[^\t -~\x80-\xff]/

/** The fields that say where a body ends. Parsers disagree on white space around their values. */
const framing = /^(?:content-length|transfer-encoding)$/i
const plainly = /^ ?[^\t ]*(?:, [^\t ]+)*$/

/** Names that were found to be tokens. Answers use few different ones; the bound is for those that do not. */
const knownNames = new Set<string>()
const mostKnownNames = 512

/**
 * Reads a head: the status line and the fields, each ended by CRLF, without the empty line. Throws `UnreadableAnswer` for
 * whatever could be read in two ways: a bare CR or LF, a folded or nameless field, a second or malformed Content-Length, a
 * coding other than chunked, or both.
 */
export function readHead(text: string): AnswerHead {
  const lineEnd = text.indexOf('\r\n')
  const [, minor, status, reason] = statusLine.exec(text.slice(0, lineEnd)) ?? []
  if (minor === undefined || status === undefined) throw new UnreadableAnswer('its status line is malformed')
  const head: AnswerHead = {
    status: Number(status),
    reason: reason ?? '',
    headers: [],
    length: -1,
    chunked: false,
    keepAlive: minor === '1',
  }
  readFields(text, lineEnd + 2, head.headers)
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] as string
    const value = head.headers[i + 1] as string
    switch (name.length) {
      case 10:
        if (name.toLowerCase() === 'connection' && closes(value)) head.keepAlive = false
        break
      case 14:
        if (name.toLowerCase() === 'content-length') head.length = lengthOf(value, head.length)
        break
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          if (head.chunked || value.toLowerCase() !== 'chunked')
            throw new UnreadableAnswer('its Transfer-Encoding is not chunked')
          head.chunked = true
        }
        break
    }
  }
  if (head.chunked && head.length >= 0)
    throw new UnreadableAnswer('it has a Content-Length and a Transfer-Encoding')
  if (head.chunked && minor === '0') throw new UnreadableAnswer('it is HTTP/1.0 and has a Transfer-Encoding')
  return head
}

/** Appends the fields in `text` from `from` on to `into`. Each ends with CRLF. */
export function readFields(text: string, from: number, into: string[]): void {
  for (let start = from; start < text.length; ) {
    const end = text.indexOf('\r\n', start)
    const colon = text.indexOf(':', start)
    if (colon < 0 || colon > end) throw new UnreadableAnswer('a line of its head is no field')
    const name = text.slice(start, colon)
    if (!isToken(name)) throw new UnreadableAnswer('the name of a field is malformed')
    const value = trimmed(text, colon + 1, end)
    if (framing.test(name) && !plainly.test(text.slice(colon + 1, end)))
      throw new UnreadableAnswer(`there is space around the value of its field ${name}`)
    if (control.test(value))
      throw new UnreadableAnswer(`the value of its field ${name} has control characters`)
    into.push(name, value)
    start = end + 2
  }
}

function isToken(name: string): boolean {
  if (knownNames.has(name)) return true
  if (!token.test(name)) return false
  if (name.length <= 64 && knownNames.size < mostKnownNames) knownNames.add(name)
  return true
}

/** A field's value without the spaces and tabs around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function lengthOf(value: string, before: number): number {
  const length = Number(value)
  if (before >= 0 || !/^\d+$/.test(value) || !Number.isSafeInteger(length))
    throw new UnreadableAnswer('its Content-Length is repeated or malformed')
  return length
}

function closes(value: string): boolean {
  return value !== 'keep-alive' && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(value)
}
