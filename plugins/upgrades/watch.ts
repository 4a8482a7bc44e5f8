import type { Clock } from '../../src/clock.ts'
import { type EventReader, ReaderPlaces } from '../../src/http/events/readers.ts'

const mostReaders = 50
const mostOfOne = 10
const beatMs = 15_000
/** A reader that leaves an event unread for so long is disconnected. */
const patienceMs = 60_000

/** Tells those who wait that something may have changed. They read the tables then. */
export class Watch {
  readonly #waiting = new Set<() => void>()
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  readonly #places = new ReaderPlaces(mostReaders, mostOfOne)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  changed(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Ends every stream and every wait. */
  stop(): void {
    this.#stopping.abort()
    this.changed()
  }

  /** Resolves once `isOver` is true, after `withinMs`, or when the program stops. */
  async until(isOver: () => boolean, withinMs: number): Promise<void> {
    const endsAt = this.#clock.monotonic() + withinMs
    while (!isOver() && !this.#stopping.signal.aborted) {
      const leftMs = endsAt - this.#clock.monotonic()
      if (leftMs <= 0) return
      await this.#next(leftMs)
    }
  }

  /**
   * A stream of events (`text/event-stream`): what `read` returns, each time that it is another, until it is over. A reader who
   * is slow gets the newest state and none of those in between, and one who reads nothing for a minute is disconnected. When `read`
   * throws, the stream breaks. Throws `overloaded`.
   */
  stream(reader: EventReader, read: () => { text: string; isOver: boolean }): Response {
    const giveBack = this.#places.take(reader)
    let last: string | null = null
    let ended = false
    let unread = new AbortController()
    const leave = () => {
      unread.abort()
      giveBack()
      ended = true
    }
    const encoder = new TextEncoder()
    const send = (controller: ReadableStreamDefaultController<Uint8Array>, text: string) => {
      const sent = new AbortController()
      unread = sent
      controller.enqueue(encoder.encode(text))
      void this.#clock.sleep(patienceMs, AbortSignal.any([sent.signal, this.#stopping.signal])).then(() => {
        if (sent.signal.aborted || this.#stopping.signal.aborted) return
        leave()
        controller.error(new Error('the events were not read'))
      })
    }
    const nextEvent = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      for (;;) {
        if (ended) return
        if (!(await reader.stillMay())) throw new Error('the reader’s access has ended')
        const { text, isOver } = read()
        if (text !== last) {
          last = text
          send(controller, `data: ${text}\n\n`)
          if (!isOver) return
        }
        if (isOver || this.#stopping.signal.aborted) {
          leave()
          return controller.close()
        }
        if (!(await this.#next(beatMs))) return send(controller, ': still there\n\n')
      }
    }
    // It is called once what was sent has been read.
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      unread.abort()
      try {
        await nextEvent(controller)
      } catch (error) {
        leave()
        throw error
      }
    }
    return new Response(
      new ReadableStream<Uint8Array>({
        pull,
        cancel: () => {
          leave()
          this.changed()
        },
      }),
      {
        headers: {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-store',
          // nginx would buffer events.
          'X-Accel-Buffering': 'no',
        },
      },
    )
  }

  /** Waits for a change; false when none came within `ms`. */
  async #next(ms: number): Promise<boolean> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#waiting.add(wake)
    if (!this.#stopping.signal.aborted) await this.#clock.sleep(ms, woken.signal)
    this.#waiting.delete(wake)
    return woken.signal.aborted
  }
}
