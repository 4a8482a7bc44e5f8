import type { ServerResponse } from 'node:http'
import type { AnswerHead } from '../upstream/answer-head.ts'
import type { UpstreamRequest } from '../upstream/request.ts'
import { AnswerStream } from './answer-stream.ts'
import { closingMs, type Lasting } from './lasting.ts'

/** Two ends of lines, the last bytes of an event. */
const eventEnd = /(?:\r\n|\n|\r)(?:\r\n|\n|\r)$/
const longestEnd = 4

/** An answer that is a stream of events, which ends when its instance stops or moves, or the edge does. */
export class EventStream extends AnswerStream implements Lasting {
  readonly #outgoing: UpstreamRequest
  readonly #response: ServerResponse
  readonly #lengthKnown: boolean
  readonly #compressed: boolean
  /** The last bytes so far. */
  #tail = ''

  constructor(outgoing: UpstreamRequest, response: ServerResponse, head: AnswerHead, unread: () => void) {
    super(outgoing, response, head.length, unread)
    this.#outgoing = outgoing
    this.#response = response
    this.#lengthKnown = head.length >= 0
    this.#compressed = isCoded(head.headers)
  }

  override data(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - longestEnd))).slice(
      -longestEnd,
    )
    super.data(chunk)
  }

  /** Ends the stream, after a comment that says why. Half an event stays half: clients drop it. */
  close(reason: string): void {
    const response = this.#response
    this.#outgoing.destroy()
    if (response.writableEnded) return
    if (this.#lengthKnown) {
      this.destroy()
      return
    }
    const whole = this.#tail === '' || eventEnd.test(this.#tail)
    if (whole && !this.#compressed) response.end(`: ${reason}\n\n`)
    else response.end()
    const timer = setTimeout(() => this.destroy(), closingMs)
    response.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#response.destroy()
  }
}

function isCoded(headers: readonly string[]): boolean {
  return headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-encoding')
}
