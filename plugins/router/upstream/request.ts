import type { Socket } from 'node:net'
import { Burst } from '../burst.ts'
import type { AnswerHead } from './answer-head.ts'
import { AnswerReader, type AnswerSink } from './answer-reader.ts'
import type { Kept } from './blocks.ts'
import type { Carried, Connection } from './connection.ts'

/** A request as it is sent to an instance. */
export interface Outgoing {
  method: string
  /** The path and query, in origin form. */
  path: string
  /** Name, value, name, value, … without those that frame the body, `Content-Length` aside; with `maySwitch`, `Connection` and `Upgrade` too. */
  headers: readonly string[]
  /** `plain`: as many bytes as `Content-Length` says. */
  body: 'none' | 'plain' | 'chunked'
  /** Whether the answer may be `101`. */
  maySwitch?: boolean
}

export interface RequestEvents {
  /** An answer before the answer: 100, 102, 103. */
  information(head: AnswerHead): void
  head(head: AnswerHead): void
  /** `chunk` is valid during the call only. */
  data(chunk: Buffer): void
  /** What had arrived of the answer was given, and there is more to come. */
  caughtUp(): void
  /** The answer is whole. `trailers`: name, value, … */
  end(trailers: string[]): void
  /** The connection was handed over with a 101; `rest` are the first bytes of the other protocol. */
  switched(head: AnswerHead, connection: Socket, rest: Buffer): void
  /** More of the body can be written. Called first when the connection is there. */
  writable(): void
  /** There is no answer, or not all of it. Called at most once, and nothing after it. */
  failed(error: NodeJS.ErrnoException): void
}

/** An answer up to this size is not worth a block of its own. */
const smallBytes = 64 * 1024

/** The heads of requests. */
const heads = new Burst<Socket>(socket => socket.uncork())

/** What no field value may have: control characters, the tab aside. */
const control = /[^\t -~\x80-\xff]/

/** One request to an instance, from the moment it asks for a connection. */
export class UpstreamRequest implements AnswerSink, Carried {
  readonly outgoing: Outgoing
  readonly #events: RequestEvents
  #connection: Connection | null = null
  #reader: AnswerReader
  #reused = false
  #sent: boolean
  #over = false
  /** When it was sent, on the monotonic clock in milliseconds; 0 before. */
  sentAt = 0
  /** Bytes of the body that were sent, and of the answer's body that were received. */
  sentBytes = 0
  receivedBytes = 0

  constructor(outgoing: Outgoing, events: RequestEvents) {
    this.outgoing = outgoing
    this.#events = events
    this.#sent = outgoing.body === 'none'
    this.#reader = new AnswerReader(this, outgoing.method, outgoing.maySwitch)
  }

  /** Whether it has a connection, on which the head was sent. */
  get connected(): boolean {
    return this.#connection !== null
  }

  /** Whether nothing more will happen to it: it was answered, failed, or was given up. */
  get over(): boolean {
    return this.#over
  }

  /** Whether the connection had carried another request and was closed before a byte of this answer arrived. */
  get closedWhileIdle(): boolean {
    return this.#reused && !this.#reader.begun
  }

  /** Sends a piece of the body. Returns false when the next should wait for `writable`. */
  write(chunk: Buffer): boolean {
    if (this.#over || !this.#connection || chunk.length === 0) return true
    const { socket } = this.#connection
    this.sentBytes += chunk.length
    if (this.outgoing.body !== 'chunked') return socket.write(chunk)
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    const room = socket.write('\r\n', 'latin1')
    socket.uncork()
    return room
  }

  /** The body is complete. `trailers` are sent after a chunked one. */
  endBody(trailers: readonly [string, string][] = []): void {
    if (this.#over || !this.#connection || this.#sent) return
    this.#sent = true
    if (this.outgoing.body !== 'chunked') return
    const lines = trailers.map(([name, value]) => `${name}: ${checked(value)}\r\n`)
    this.#connection.socket.write(`0\r\n${lines.join('')}\r\n`, 'latin1')
  }

  /** Keeps a piece of the answer, which is otherwise valid during the call only. */
  keep(chunk: Buffer): Kept {
    return this.#connection?.keep(chunk) ?? { bytes: Buffer.from(chunk) }
  }

  pause(): void {
    if (!this.#over) this.#connection?.socket.pause()
  }

  resume(): void {
    if (!this.#over) this.#connection?.socket.resume()
  }

  /** Gives it up: no more events, and its connection is closed. */
  destroy(): void {
    if (this.#over) return
    this.#over = true
    this.#reader.stop()
    this.#connection?.destroy()
  }

  begin(connection: Connection, reused: boolean): void {
    this.#connection = connection
    this.#reused = reused
    this.sentAt = performance.now()
    connection.socket.cork()
    heads.hold(connection.socket)
    connection.socket.write(headText(this.outgoing), 'latin1')
    if (!this.#sent) this.#events.writable()
  }

  received(chunk: Buffer): void {
    try {
      this.#reader.read(chunk)
      if (!this.#over) this.#events.caughtUp()
    } catch (error) {
      this.fail(error as Error)
    }
  }

  drained(): void {
    if (!this.#over && !this.#sent) this.#events.writable()
  }

  closed(): void {
    if (this.#over || this.#reader.close()) return
    this.fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
  }

  fail(error: NodeJS.ErrnoException): void {
    if (this.#over) return
    this.#over = true
    this.#reader.stop()
    this.#connection?.destroy()
    this.#events.failed(error)
  }

  information(head: AnswerHead): void {
    this.#events.information(head)
  }

  head(head: AnswerHead): void {
    if (head.length > smallBytes) this.#connection?.expect(true)
    this.#events.head(head)
  }

  data(chunk: Buffer): void {
    // An answer of unknown length that fills a whole read.
    if (chunk.length >= smallBytes) this.#connection?.expect(true)
    this.receivedBytes += chunk.length
    this.#events.data(chunk)
  }

  switched(head: AnswerHead, rest: Buffer): void {
    this.#over = true
    const socket = this.#connection?.handOver()
    if (socket) this.#events.switched(head, socket, rest)
  }

  end(trailers: string[]): void {
    this.#over = true
    // What comes after the end of this read decides whether the connection can be used again.
    this.#connection?.answered(this.#sent, () => this.#reader.reusable)
    this.#events.end(trailers)
  }
}

/** The head as bytes in latin1. Header values come from a strict parser or from us; one that would break the head throws. */
function headText({ method, path, headers, body, maySwitch }: Outgoing): string {
  if (/[^!-\xff]/.test(path)) throw new TypeError('the path has characters that no request line can have')
  let text = `${method} ${path} HTTP/1.1\r\n`
  for (let i = 0; i < headers.length; i += 2)
    text += `${headers[i]}: ${checked(headers[i + 1] as string)}\r\n`
  if (!maySwitch) text += 'Connection: keep-alive\r\n'
  if (body === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  return `${text}\r\n`
}

function checked(value: string): string {
  if (control.test(value)) throw new TypeError('a header has control characters')
  return value
}
