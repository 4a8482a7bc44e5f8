import type { IncomingMessage } from 'node:http'
import { passableTrailers } from '../intake/headers.ts'
import type { BodyLimit } from '../limits/body-limit.ts'
import type { UpstreamRequest } from '../upstream/request.ts'

/** Sends a request's body to the instance, at the instance's pace: first what has arrived of it, then the rest. */
export class Upload {
  readonly #request: IncomingMessage
  readonly #first: readonly Buffer[]
  readonly #limit: BodyLimit | null
  readonly #tooLong: () => void
  readonly #onEnd: () => void
  #outgoing: UpstreamRequest | null = null

  /** `limit` has counted `first`. */
  constructor(
    request: IncomingMessage,
    first: readonly Buffer[],
    limit: BodyLimit | null,
    on: { end(): void; tooLong(): void },
  ) {
    this.#request = request
    this.#first = first
    this.#limit = limit
    this.#onEnd = on.end
    this.#tooLong = on.tooLong
  }

  /** The instance takes more. */
  writable(outgoing: UpstreamRequest): void {
    if (!this.#outgoing) {
      this.#outgoing = outgoing
      for (const chunk of this.#first) outgoing.write(chunk)
      if (this.#request.readableEnded) {
        this.#end()
        return
      }
      this.#request.on('data', this.#data).once('end', this.#end)
    }
    this.#request.resume()
  }

  /** The instance wants no more of it. The rest is read and dropped. */
  stop(): void {
    this.#request.off('data', this.#data).off('end', this.#end)
    if (!this.#request.readableEnded) this.#request.resume()
  }

  #data = (chunk: Buffer): void => {
    if (this.#limit && !this.#limit.takes(chunk.length)) {
      this.#tooLong()
      return
    }
    if (!this.#outgoing?.write(chunk)) this.#request.pause()
  }

  #end = (): void => {
    const { rawTrailers } = this.#request
    this.#outgoing?.endBody(rawTrailers.length > 0 ? passableTrailers(rawTrailers) : [])
    this.#onEnd()
  }
}
