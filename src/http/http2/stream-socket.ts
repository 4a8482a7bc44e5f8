import { EventEmitter } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'

/**
 * What a request of HTTP/2 has for a connection: its own stream, with the addresses of the connection that it shares.
 * Ending it ends this request alone.
 */
export class StreamSocket extends EventEmitter {
  readonly encrypted = true
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** Bytes of the request's body so far. */
  bytesRead = 0
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream, connection: TLSSocket) {
    super()
    this.#stream = stream
    this.remoteAddress = connection.remoteAddress
    this.remotePort = connection.remotePort
    stream.once('close', () => this.emit('close'))
  }

  get destroyed(): boolean {
    return this.#stream.closed
  }

  get writable(): boolean {
    return this.#stream.writable
  }

  isPaused(): boolean {
    return this.#stream.isPaused()
  }

  /** Ends the request when nothing is sent or received for so long; 0 for no limit. */
  setTimeout(ms: number): this {
    this.#stream.removeAllListeners('timeout')
    this.#stream.setTimeout(ms)
    if (ms > 0) this.#stream.once('timeout', () => this.destroy())
    return this
  }

  destroy(): this {
    this.#stream.close(constants.NGHTTP2_CANCEL)
    return this
  }

  destroySoon(): void {
    if (this.#stream.writableFinished) this.destroy()
    else this.#stream.once('finish', () => this.destroy())
  }
}
