import type { ServerResponse } from 'node:http'
import { Burst } from '../burst.ts'
import { passableTrailers } from '../intake/headers.ts'
import type { UpstreamRequest } from '../upstream/request.ts'

/** Node joins a text up to this size to the head, and writes once. */
const joinedBytes = 8192

/** How long a client may take for the last bytes of an answer that is complete here: it must not keep its permit for as long as it likes. */
const lastBytesMs = 60_000

/** Small answers that are complete. A corked socket would not hold back the end of a response. */
const answers = new Burst<() => void>(send => send())

/** Passes the body of an answer to the client, at the client's pace. The head has been given to `response`. */
export class AnswerStream {
  readonly #outgoing: UpstreamRequest
  readonly #response: ServerResponse
  /** In bytes; -1 when it is not known. */
  readonly #length: number
  readonly #unread: () => void
  #begun = false
  #held = false
  /** Of each piece that is kept: what is called when it was sent. */
  #unsent: Set<() => void> | null = null

  /** `unread` is called when the answer is complete here and the client has not taken all of it. */
  constructor(outgoing: UpstreamRequest, response: ServerResponse, length: number, unread: () => void) {
    this.#outgoing = outgoing
    this.#response = response
    this.#length = length
    this.#unread = unread
  }

  /** `chunk` is valid during the call only. */
  data(chunk: Buffer): void {
    const begun = this.#begun
    this.#begun = true
    // A body that arrived whole is sent whole.
    if (!begun && chunk.length === this.#length) {
      if (chunk.length <= joinedBytes) {
        this.#held = true
        const text = chunk.toString('latin1')
        answers.hold(() => this.#finish(text))
      } else {
        const { bytes, sent } = this.#keep(chunk)
        this.#response.end(bytes, sent)
      }
      return
    }
    const { bytes, sent } = this.#keep(chunk)
    // A large piece asks for a drain even when the system has taken all of it.
    if (!this.#response.write(bytes, sent) && this.#response.writableLength > 0) {
      this.#outgoing.pause()
      this.#response.once('drain', () => this.#outgoing.resume())
    }
  }

  /** Keeps a piece until it is sent, or the response is over: then Node forgets what it had not begun to send. */
  #keep(chunk: Buffer): { bytes: Buffer; sent?: () => void } {
    const { bytes, release } = this.#outgoing.keep(chunk)
    if (!release) return { bytes }
    const unsent = this.#unsent ?? new Set()
    if (!this.#unsent) {
      this.#unsent = unsent
      this.#response.once('close', () => {
        for (const each of unsent) each()
        unsent.clear()
      })
    }
    const sent = () => {
      if (unsent.delete(sent)) release()
    }
    unsent.add(sent)
    return { bytes, sent }
  }

  /** What had arrived was given: a head does not wait for its body. */
  caughtUp(): void {
    if (this.#begun) return
    this.#begun = true
    this.#response.flushHeaders()
  }

  end(trailers: readonly string[]): void {
    // It has no trailers, and its end is on the way.
    if (this.#held) return
    if (trailers.length > 0 && this.#response.chunkedEncoding)
      this.#response.addTrailers(passableTrailers(trailers))
    this.#finish()
  }

  #finish(text?: string): void {
    const response = this.#response
    if (!response.writableEnded) response.end(text, 'latin1')
    if (response.writableLength === 0) return
    response.socket?.setTimeout(lastBytesMs)
    this.#unread()
  }
}
