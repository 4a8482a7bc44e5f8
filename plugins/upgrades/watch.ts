import type { Clock } from '../../src/clock.ts'
import { EventStreams, type ServerEvent } from '../../src/http/events/event-streams.ts'
import type { EventReader } from '../../src/http/events/readers.ts'

/** A change that was not announced is seen so late. */
const readAgainMs = 15_000

/** Tells those who wait that something may have changed. They read the tables then. */
export class Watch {
  readonly #waiting = new Set<() => void>()
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  readonly #streams: EventStreams

  constructor(clock: Clock) {
    this.#clock = clock
    this.#streams = new EventStreams({
      ...{ clock, stopping: this.#stopping.signal },
      ...{ most: 50, mostOfOne: 10 },
      // The next state is read once the one before has been.
      aheadBytes: 1,
    })
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
   * A stream of events: what `read` returns, each time that it is another, until it is over. A reader who is slow gets the
   * newest state and none of those in between. When `read` throws, the stream breaks. Throws `overloaded`.
   */
  stream(reader: EventReader, read: () => { text: string; isOver: boolean }): Response {
    return this.#streams.open(reader, signal => this.#states(read, signal))
  }

  async *#states(
    read: () => { text: string; isOver: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<ServerEvent> {
    let last: string | null = null
    while (!signal.aborted) {
      const { text, isOver } = read()
      if (text !== last) yield { data: text }
      if (isOver) return
      // It may have changed again while a slow reader took the event.
      if (text === last) await this.#next(readAgainMs, signal)
      last = text
    }
  }

  /** Waits for a change, for at most `ms`. */
  async #next(ms: number, signal: AbortSignal = this.#stopping.signal): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#waiting.add(wake)
    await this.#clock.sleep(ms, AbortSignal.any([woken.signal, signal]))
    this.#waiting.delete(wake)
  }
}
