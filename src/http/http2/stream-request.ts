import type { IncomingHttpHeaders } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import type { StreamSocket } from './stream-socket.ts'

/** The head of a request as the stream brought it, in the form that HTTP/1.1 gives it. */
export interface StreamHead {
  method: string
  /** The path and query. */
  path: string
  /** Name, value, name, value, …: `Host` first, and no pseudo-header. */
  raw: string[]
}

/**
 * A request of HTTP/2 with the face of an `IncomingMessage`. It ends only when its body came whole: one that the client
 * gave up is destroyed instead.
 */
export class StreamRequest extends Readable {
  readonly httpVersion = '2.0'
  readonly httpVersionMajor = 2
  readonly httpVersionMinor = 0
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly trailers: Record<string, string> = {}
  readonly rawTrailers: string[] = []
  readonly socket: StreamSocket
  /** Whether all of it was received. */
  complete = false
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream, head: StreamHead, socket: StreamSocket) {
    super({ highWaterMark: 64 * 1024 })
    this.#stream = stream
    this.method = head.method
    this.url = head.path
    // A body whose length is not announced. In HTTP/1.1 it would be chunked, and so will it be for whom it is passed on to.
    const isChunked =
      !stream.endAfterHeaders && !head.raw.some((name, i) => i % 2 === 0 && name === 'content-length')
    this.rawHeaders = isChunked ? [...head.raw, 'transfer-encoding', 'chunked'] : head.raw
    this.headers = joined(this.rawHeaders)
    this.socket = socket
    stream.on('trailers', (_: unknown, __: number, raw: readonly string[]) => this.#keepTrailers(raw))
    stream.once('end', () => this.#end())
    stream.once('close', () => {
      if (!this.complete) this.destroy()
    })
    if (stream.endAfterHeaders) stream.resume()
  }

  override _read(): void {
    const stream = this.#stream
    if (stream.listenerCount('data') > 0) stream.resume()
    else stream.on('data', (chunk: Buffer) => this.#data(chunk))
  }

  #data(chunk: Buffer): void {
    this.socket.bytesRead += chunk.length
    if (!this.push(chunk)) this.#stream.pause()
  }

  #keepTrailers(raw: readonly string[] | undefined): void {
    for (const [index, text] of (raw ?? []).entries()) {
      this.rawTrailers.push(text)
      if (index % 2 === 1) this.trailers[this.rawTrailers.at(-2) as string] = text
    }
  }

  #end(): void {
    // Node ends the stream of a client that gave up, too.
    if (this.#stream.aborted || this.#stream.rstCode !== 0) return
    this.complete = true
    this.push(null)
  }
}

/** Headers by name, as node joins them. */
function joined(raw: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (!single.has(name)) headers[name] = `${before as string}, ${value}`
  }
  return headers
}

/** Of these, node keeps the first. */
const single = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'user-agent',
])
