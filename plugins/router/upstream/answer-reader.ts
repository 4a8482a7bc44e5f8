import { type AnswerHead, readFields, readHead, UnreadableAnswer } from './answer-head.ts'
import { LineBuffer } from './line-buffer.ts'

/** Gets an answer piece by piece. Each function may call `AnswerReader.stop`; then no other is called. */
export interface AnswerSink {
  /** An answer before the answer (1xx), `101` aside. */
  information(head: AnswerHead): void
  /** The connection speaks another protocol from here on; `rest` are its first bytes. */
  switched(head: AnswerHead, rest: Buffer): void
  head(head: AnswerHead): void
  data(chunk: Buffer): void
  /** The answer is whole. `trailers` are as in `AnswerHead.headers`. */
  end(trailers: string[]): void
}

/** The largest head and the most trailers of an answer, in bytes. */
const headLimit = 32 * 1024
/** The longest line that gives a chunk's size, its extensions included. */
const chunkLineLimit = 1024
/** How many answers may come before the answer. */
const mostInformation = 32

const chunkLine = /^([0-9a-f]{1,12})(?:[\t ]*;[\t -~\x80-\xff]*)?\r\n$/i

type Stage = 'head' | 'length' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' | 'over'

/**
 * Reads one answer from the bytes of a connection. It is as strict as the parser that faces clients: what could be read in two ways
 * throws `UnreadableAnswer`.
 */
export class AnswerReader {
  readonly #sink: AnswerSink
  readonly #bodyless: boolean
  readonly #maySwitch: boolean
  readonly #lines = new LineBuffer()
  #stage: Stage = 'head'
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0
  #information = 0
  #begun = false
  #keepAlive = false
  #surplus = false
  readonly #trailers: string[] = []
  #trailerBytes = 0

  /** `method` is the request's: an answer to HEAD has no body. `maySwitch`: whether `101` was asked for. */
  constructor(sink: AnswerSink, method: string, maySwitch = false) {
    this.#sink = sink
    this.#bodyless = method === 'HEAD'
    this.#maySwitch = maySwitch
  }

  /** Whether a byte of the answer has arrived. */
  get begun(): boolean {
    return this.#begun
  }

  /** Whether the answer is whole, or no more of it is wanted. */
  get over(): boolean {
    return this.#stage === 'over'
  }

  /** Whether the connection can carry another request: the answer was whole, says so, and nothing followed it. */
  get reusable(): boolean {
    return this.over && this.#keepAlive && !this.#surplus
  }

  /** Ends the reading: the sink gets nothing more. */
  stop(): void {
    this.#stage = 'over'
    this.#keepAlive = false
  }

  read(chunk: Buffer): void {
    this.#begun = true
    let at = 0
    while (at < chunk.length) {
      switch (this.#stage) {
        case 'head':
          at = this.#readHead(chunk, at)
          break
        case 'length':
        case 'chunk':
          at = this.#readData(chunk, at)
          break
        case 'chunk-line':
          at = this.#readChunkLine(chunk, at)
          break
        case 'chunk-end':
          at = this.#readChunkEnd(chunk, at)
          break
        case 'trailers':
          at = this.#readTrailers(chunk, at)
          break
        case 'until-close':
          this.#sink.data(at === 0 ? chunk : chunk.subarray(at))
          return
        case 'over':
          this.#surplus = true
          return
      }
    }
  }

  /** The other side has ended the connection. Returns false when the answer is not whole. */
  close(): boolean {
    if (this.#stage === 'until-close') this.#finish([])
    return this.over
  }

  #readHead(chunk: Buffer, at: number): number {
    const found = this.#line('\r\n\r\n', chunk, at, headLimit)
    if (!found) return chunk.length
    const head = readHead(found.text.slice(0, -2))
    if (head.status === 101) {
      if (!this.#maySwitch) throw new UnreadableAnswer('it switches to a protocol that was not asked for')
      this.stop()
      this.#sink.switched(head, chunk.subarray(found.next))
      return chunk.length
    }
    if (head.status < 200) {
      if (!head.keepAlive || head.chunked || head.length >= 0)
        throw new UnreadableAnswer('what comes before it has a body, or ends the connection')
      if (++this.#information > mostInformation) throw new UnreadableAnswer('it never comes to its answer')
      this.#sink.information(head)
      return found.next
    }
    this.#keepAlive = head.keepAlive
    this.#sink.head(head)
    if (!this.over) this.#beginBody(head)
    return found.next
  }

  #beginBody(head: AnswerHead): void {
    if (this.#bodyless || head.status === 204 || head.status === 304 || head.length === 0) this.#finish([])
    else if (head.chunked) this.#stage = 'chunk-line'
    else if (head.length > 0) {
      this.#left = head.length
      this.#stage = 'length'
    } else {
      this.#keepAlive = false
      this.#stage = 'until-close'
    }
  }

  #readData(chunk: Buffer, at: number): number {
    const size = Math.min(this.#left, chunk.length - at)
    this.#left -= size
    const whole = at === 0 && size === chunk.length
    this.#sink.data(whole ? chunk : chunk.subarray(at, at + size))
    if (this.#left === 0 && !this.over) {
      if (this.#stage === 'chunk') this.#stage = 'chunk-end'
      else this.#finish([])
    }
    return at + size
  }

  #readChunkLine(chunk: Buffer, at: number): number {
    const found = this.#line('\r\n', chunk, at, chunkLineLimit)
    if (!found) return chunk.length
    const digits = chunkLine.exec(found.text)?.[1]
    if (digits === undefined) throw new UnreadableAnswer('the size of a chunk is malformed')
    this.#left = Number.parseInt(digits, 16)
    this.#stage = this.#left === 0 ? 'trailers' : 'chunk'
    return found.next
  }

  #readChunkEnd(chunk: Buffer, at: number): number {
    const found = this.#line('\r\n', chunk, at, 2)
    if (!found) return chunk.length
    if (found.text !== '\r\n') throw new UnreadableAnswer('a chunk is longer than its size')
    this.#stage = 'chunk-line'
    return found.next
  }

  /** Line by line: without trailers there is only an empty one. */
  #readTrailers(chunk: Buffer, at: number): number {
    const found = this.#line('\r\n', chunk, at, headLimit - this.#trailerBytes)
    if (!found) return chunk.length
    if (found.text === '\r\n') this.#finish(this.#trailers)
    else {
      this.#trailerBytes += found.text.length
      readFields(found.text, 0, this.#trailers)
    }
    return found.next
  }

  #line(pattern: string, chunk: Buffer, at: number, limit: number) {
    const found = this.#lines.take(pattern, chunk, at)
    if ((found ? found.text.length : this.#lines.length) > limit)
      throw new UnreadableAnswer('its head is too large, or a line of its body')
    return found
  }

  #finish(trailers: string[]): void {
    this.#stage = 'over'
    this.#sink.end(trailers)
  }
}
