import { EventEmitter } from 'node:events'
import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { StreamRequest } from './stream-request.ts'
import type { StreamSocket } from './stream-socket.ts'

type Written = (error?: Error | null) => void
type Headers = OutgoingHttpHeaders | readonly string[]
type HeaderValue = number | string | readonly string[] | undefined

/** Headers about one connection of HTTP/1.1. HTTP/2 forbids them (RFC 9113, section 8.2.2). */
const ofConnections = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
/** How long a client may take for what is left of a complete answer, from each piece to the next. */
const lastBytesMs = 60_000
const bodiless = new Set([204, 205, 304])

/**
 * The answer to a request of HTTP/2, with the face of a `ServerResponse`. What only HTTP/1.1 has is left out when it is sent:
 * the reason of a status, and headers about the connection.
 */
export class StreamResponse extends EventEmitter {
  readonly req: StreamRequest
  statusCode = 200
  statusMessage = ''
  sendDate = true
  shouldKeepAlive = true
  readonly #stream: ServerHttp2Stream
  readonly #headers = new Map<string, string | readonly string[]>()
  readonly #trailers: Record<string, string[]> = {}
  #ended = false
  #lengthKnown = false
  #hasBody: boolean

  constructor(stream: ServerHttp2Stream, request: StreamRequest) {
    super()
    this.req = request
    this.#stream = stream
    this.#hasBody = request.method !== 'HEAD'
    stream.on('drain', () => this.emit('drain'))
    stream.once('finish', () => this.emit('finish'))
    stream.once('close', () => this.emit('close'))
    stream.on('wantTrailers', () => this.#sendTrailers())
  }

  get socket(): StreamSocket | null {
    return this.#stream.closed ? null : this.req.socket
  }
  get headersSent(): boolean {
    return this.#stream.headersSent
  }
  /** Whether trailers can follow the body: its length was not announced. */
  get chunkedEncoding(): boolean {
    return this.headersSent && !this.#lengthKnown && this.#hasBody
  }
  get writable(): boolean {
    return !this.#ended && !this.destroyed
  }
  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }
  get closed(): boolean {
    return this.#stream.closed
  }
  get errored(): Error | null {
    return this.#stream.errored
  }
  get writableEnded(): boolean {
    return this.#ended
  }
  get finished(): boolean {
    return this.#ended
  }
  get writableFinished(): boolean {
    return this.#ended && this.headersSent && this.#stream.writableFinished && this.#stream.rstCode === 0
  }
  get writableLength(): number {
    return this.#stream.writableLength
  }
  get writableHighWaterMark(): number {
    return this.#stream.writableHighWaterMark
  }
  get writableNeedDrain(): boolean {
    return this.#stream.writableNeedDrain
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    this.#headers.set(name.toLowerCase(), typeof value === 'number' ? String(value) : value)
    return this
  }
  appendHeader(name: string, value: string | readonly string[]): this {
    const before = this.getHeader(name)
    return this.setHeader(name, before === undefined ? value : [before, value].flat())
  }
  getHeader(name: string): string | readonly string[] | undefined {
    return this.#headers.get(name.toLowerCase())
  }
  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase())
  }
  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase())
  }
  getHeaderNames(): string[] {
    return [...this.#headers.keys()]
  }
  getHeaders(): OutgoingHttpHeaders {
    return Object.fromEntries(this.#headers) as OutgoingHttpHeaders
  }

  /** Throws for a header or a status that cannot be sent; nothing is sent then. */
  writeHead(status: number, reasonOrHeaders?: string | Headers, more?: Headers): this {
    const headers = typeof reasonOrHeaders === 'object' ? reasonOrHeaders : more
    this.statusCode = status
    if (bodiless.has(status)) this.#hasBody = false
    const list = this.#list(headers)
    if (this.destroyed) return this
    const options = { sendDate: this.sendDate, waitForTrailers: this.#mayTrail() }
    this.#stream.respond(list as never, options)
    return this
  }

  flushHeaders(): void {
    if (!this.headersSent) this.writeHead(this.statusCode)
  }

  write(chunk: string | Uint8Array, encoding?: BufferEncoding | Written, written?: Written): boolean {
    const [coding, then] = typeof encoding === 'function' ? [undefined, encoding] : [encoding, written]
    if (!this.headersSent) this.writeHead(this.statusCode)
    if (!this.#hasBody || this.destroyed || this.#ended) {
      if (then) process.nextTick(then)
      return !this.destroyed
    }
    return this.#stream.write(chunk, coding ?? 'utf8', then)
  }

  end(
    chunk?: string | Uint8Array | Written | null,
    encoding?: BufferEncoding | Written,
    ended?: Written,
  ): this {
    const then = [chunk, encoding, ended].find(each => typeof each === 'function')
    if (this.#ended) {
      if (then) process.nextTick(then)
      return this
    }
    if (then) this.once('finish', then)
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      this.write(chunk, typeof encoding === 'string' ? encoding : undefined)
    } else if (!this.headersSent) this.writeHead(this.statusCode)
    this.#ended = true
    if (!this.destroyed && !this.#stream.writableEnded) this.#stream.end()
    // A client that keeps its window closed must not keep the request for as long as it likes.
    if (this.writableLength > 0) this.setTimeout(lastBytesMs)
    this.#letGoOfBody()
    return this
  }

  /** Pairs of name and value, sent after the body. */
  addTrailers(trailers: readonly (readonly [string, string])[] | Readonly<Record<string, string>>): void {
    const pairs = Array.isArray(trailers) ? trailers : Object.entries(trailers)
    for (const [name, value] of pairs) {
      validateHeaderName(name)
      validateHeaderValue(name, value)
      const values = this.#trailers[name.toLowerCase()] ?? []
      values.push(value)
      this.#trailers[name.toLowerCase()] = values
    }
  }

  writeContinue(): void {
    this.writeInformation(100, [])
  }

  /** Sends an answer before the answer. `headers`: name, value, … */
  writeInformation(status: number, headers: readonly string[]): void {
    if (this.headersSent || this.destroyed) return
    const named: Record<string, string[]> = {}
    for (let i = 0; i < headers.length; i += 2) {
      const name = (headers[i] as string).toLowerCase()
      const value = headers[i + 1] as string
      validateHeaderValue(name, value)
      const values = named[name] ?? []
      values.push(value)
      named[name] = values
    }
    this.#stream.additionalHeaders({ ':status': status, ...named })
  }

  setTimeout(ms: number): this {
    this.req.socket.setTimeout(ms)
    return this
  }

  cork(): void {
    this.#stream.cork()
  }

  uncork(): void {
    this.#stream.uncork()
  }

  /** Ends the request without the rest of its answer, in a way that the client can tell from a complete one. */
  destroy(): this {
    const { headersSent } = this
    this.#stream.close(headersSent ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CANCEL)
    return this
  }

  #mayTrail(): boolean {
    return !this.#lengthKnown && this.#hasBody
  }

  #sendTrailers(): void {
    if (this.destroyed) return
    this.#stream.sendTrailers(this.#trailers)
  }

  /** What is left of a request's body is of no use once the answer is complete (RFC 9113, section 8.1). */
  #letGoOfBody(): void {
    const end = () => {
      if (!this.req.complete && !this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    }
    if (this.#stream.writableFinished) end()
    else this.#stream.once('finish', end)
  }

  #list(headers: Headers | undefined): (string | number)[] {
    const list: (string | number)[] = [constants.HTTP2_HEADER_STATUS, this.statusCode]
    const given = headers === undefined ? [] : isList(headers) ? pairs(headers) : Object.entries(headers)
    const names = new Set(given.map(([name]) => name.toLowerCase()))
    for (const [name, value] of this.#headers) if (!names.has(name)) this.#push(list, name, value)
    for (const [name, value] of given) this.#push(list, name.toLowerCase(), value)
    return list
  }

  #push(list: (string | number)[], name: string, value: HeaderValue): void {
    if (value === undefined || ofConnections.has(name)) return
    if (name === 'content-length') this.#lengthKnown = true
    validateHeaderName(name)
    for (const each of Array.isArray(value) ? value : [value]) {
      validateHeaderValue(name, String(each))
      list.push(name, String(each))
    }
  }
}

function isList(headers: Headers): headers is readonly string[] {
  return Array.isArray(headers)
}

function pairs(list: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let i = 0; i < list.length; i += 2) found.push([list[i] as string, list[i + 1] as string])
  return found
}
