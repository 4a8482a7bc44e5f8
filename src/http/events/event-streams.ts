import type { Clock } from '../../clock.ts'
import { type EventReader, ReaderPlaces } from './readers.ts'

/** One event, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it. */
export interface ServerEvent {
  /** `message` without one. */
  name?: string
  /** A reader that connects again sends the last one as `Last-Event-ID`. */
  id?: string
  /** May have several lines. In an event, a carriage return is a line end. */
  data: string
}

/** The events for one reader. They end when `signal` aborts: the reader has left, or the program stops. */
export type EventSource = (signal: AbortSignal) => AsyncIterable<ServerEvent>

export interface EventStreamOptions {
  clock: Clock
  /** Ends every stream. */
  stopping: AbortSignal
  /** How many streams may be open, in all and for one person or token. */
  most: number
  mostOfOne: number
  /** About how much may wait for one reader; the next event is asked for once there is room. */
  aheadBytes?: number
  /** How often a stream without events says that it is still there. */
  beatMs?: number
}

/** A reader that reads nothing for so many beats while events wait is disconnected. */
const patienceBeats = 4
/** A reader's access is looked up no more often than this. */
const askAfterMs = 1000

/**
 * Streams of events (`text/event-stream`) for a limited number of readers.
 *
 * 1. A stream takes a place; without one, the reader gets a 503 that says what to do.
 * 2. An event is taken from its source once the reader has room for it.
 * 3. Comments in between keep proxies from closing a stream, and show that a reader still reads.
 * 4. The reader's access is looked up with each beat, before events, and after each change that anyone makes, which may have
 *    taken it away.
 * 5. A stream ends with its source, its reader, the reader's access, or the program. The last two are said in a comment, and a
 *    reader that connects again gets the reason as a problem.
 */
export class EventStreams {
  readonly #options: Required<EventStreamOptions>
  readonly #places: ReaderPlaces

  constructor(options: EventStreamOptions) {
    this.#options = { aheadBytes: 64 * 1024, beatMs: 15_000, ...options }
    this.#places = new ReaderPlaces(options.most, options.mostOfOne)
  }

  /** Throws `overloaded`. A source that throws breaks the stream. */
  open(reader: EventReader, source: EventSource): Response {
    const giveBack = this.#places.take(reader)
    const stream = new OpenStream(reader, source, giveBack, this.#options)
    const ahead = new ByteLengthQueuingStrategy({ highWaterMark: this.#options.aheadBytes })
    return new Response(new ReadableStream<Uint8Array>(stream, ahead), {
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // nginx would buffer events.
        'X-Accel-Buffering': 'no',
      },
    })
  }
}

type Controller = ReadableStreamDefaultController<Uint8Array>

/** What a `ReadableStream` is made of. */
class OpenStream {
  readonly #reader: EventReader
  readonly #events: AsyncIterator<ServerEvent>
  readonly #giveBack: () => void
  readonly #options: Required<EventStreamOptions>
  readonly #encoder = new TextEncoder()
  readonly #over = new AbortController()
  #controller: Controller | null = null
  #forget = () => {}
  /** When the reader last had room, and when its access was last looked up, on the monotonic clock. */
  #readAt: number
  #askedAt = Number.NEGATIVE_INFINITY
  #willAsk = false

  constructor(
    reader: EventReader,
    source: EventSource,
    giveBack: () => void,
    options: Required<EventStreamOptions>,
  ) {
    this.#reader = reader
    this.#giveBack = giveBack
    this.#options = options
    this.#readAt = options.clock.monotonic()
    this.#events = source(this.#over.signal)[Symbol.asyncIterator]()
  }

  start(controller: Controller): void {
    this.#controller = controller
    const { stopping } = this.#options
    const stop = () => this.#close('the program is stopping')
    if (stopping.aborted) {
      stop()
      return
    }
    stopping.addEventListener('abort', stop, { once: true, signal: this.#over.signal })
    this.#forget = this.#reader.onAccessChange(() => void this.#askSoon())
    this.#send('retry: 2000\n\n')
    void this.#beat()
  }

  /** It is called while the reader has room, and not again before it has resolved. */
  async pull(): Promise<void> {
    this.#readAt = this.#options.clock.monotonic()
    try {
      const { done, value } = await this.#events.next()
      if (done) return this.#close()
      const isOld = this.#options.clock.monotonic() - this.#askedAt >= askAfterMs
      if (!isOld || (await this.#ask())) this.#send(textOf(value))
    } catch (error) {
      this.#break(error)
    }
  }

  cancel(): void {
    this.#leave()
  }

  async #beat(): Promise<void> {
    const { clock, beatMs } = this.#options
    for (;;) {
      await clock.sleep(beatMs, this.#over.signal)
      if (this.#over.signal.aborted || !(await this.#ask())) return
      const now = clock.monotonic()
      if ((this.#controller?.desiredSize ?? 0) > 0) {
        this.#readAt = now
        this.#send(': still here\n\n')
      } else if (now - this.#readAt >= patienceBeats * beatMs) {
        return this.#break(new Error('the events were not read; connect again to go on'))
      }
    }
  }

  /** Many changes in a row ask once. */
  async #askSoon(): Promise<void> {
    if (this.#willAsk) return
    this.#willAsk = true
    const { clock } = this.#options
    const waitMs = this.#askedAt + askAfterMs - clock.monotonic()
    if (waitMs > 0) await clock.sleep(waitMs, this.#over.signal)
    this.#willAsk = false
    await this.#ask()
  }

  /** Ends the stream of a reader whose access has ended; false then, and if the stream is over. */
  async #ask(): Promise<boolean> {
    if (this.#over.signal.aborted) return false
    this.#askedAt = this.#options.clock.monotonic()
    if (await this.#reader.stillMay()) return !this.#over.signal.aborted
    this.#close('your access has ended')
    return false
  }

  #send(text: string): void {
    if (!this.#over.signal.aborted) this.#controller?.enqueue(this.#encoder.encode(text))
  }

  #close(why?: string): void {
    if (this.#over.signal.aborted) return
    if (why) this.#send(`: ${why}\n\n`)
    this.#leave()
    this.#controller?.close()
  }

  #break(error: unknown): void {
    if (this.#over.signal.aborted) return
    this.#leave()
    this.#controller?.error(error)
  }

  #leave(): void {
    this.#over.abort()
    this.#forget()
    this.#giveBack()
    // A generator that waits for its next event ends once the signal has woken it.
    void this.#events.return?.()?.catch(() => {})
  }
}

function textOf({ name, id, data }: ServerEvent): string {
  const fields = [
    ...(name === undefined ? [] : [`event: ${name}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...data.split(/\r\n|\r|\n/).map(line => `data: ${line}`),
  ]
  return `${fields.join('\n')}\n\n`
}
