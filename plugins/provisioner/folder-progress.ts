import { once } from 'node:events'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DriverError } from './driver.ts'
import type { FolderReport } from './folder-report.ts'

/**
 * How long work on a folder may make no progress. SQLite checks a database without a word, and may need long for a large one on a
 * slow disk: a bound on the total would end work that goes on.
 */
export const folderIdleMs = 60 * 60_000

/** What the work waits for: its program, the reader of its output, or the source of its input. */
type Awaited = 'program' | 'output' | 'input'

/** Passes on what work on a folder reads and writes, and aborts `signal` when nothing moves for `idleMs`. */
export class FolderProgress {
  readonly #idleMs: number
  readonly #stalled = new AbortController()
  readonly #timer: NodeJS.Timeout
  #awaited: Awaited = 'program'

  constructor(idleMs: number) {
    this.#idleMs = idleMs
    this.#timer = setTimeout(() => this.#stalled.abort(), idleMs)
  }

  get signal(): AbortSignal {
    return this.#stalled.signal
  }

  /** Notes that something moved: the program wrote or read. */
  moved(): void {
    if (!this.signal.aborted) this.#timer.refresh()
  }

  /** Feeds the program to the end of `input`. Resolves with an error rather than reject: a program that failed says why itself. */
  async feed(input: Readable | undefined, program: Writable): Promise<unknown> {
    const counted = async function* (this: FolderProgress, source: AsyncIterable<unknown>) {
      this.#awaited = 'input'
      for await (const piece of source) {
        this.#awaited = 'program'
        this.moved()
        yield piece
        this.#awaited = 'input'
      }
      this.#awaited = 'program'
    }.bind(this)
    return await pipeline(input ?? Readable.from([]), counted, program).catch((error: unknown) => error)
  }

  /** Writes a piece of what the program writes, and waits while `output` is full. Throws once it is destroyed. */
  async passOn(output: Writable, piece: Buffer, signal: AbortSignal): Promise<void> {
    this.moved()
    if (!output.destroyed && output.write(piece)) return
    this.#awaited = 'output'
    const over = new AbortController()
    const waiting = { signal: AbortSignal.any([signal, over.signal]) }
    try {
      // A stream that is destroyed drains no longer.
      if (!output.destroyed)
        await Promise.race([once(output, 'drain', waiting), once(output, 'close', waiting)])
    } finally {
      over.abort()
    }
    if (output.destroyed)
      throw new DriverError('what the program writes is not taken any longer', { permanent: false })
    this.#awaited = 'program'
    this.moved()
  }

  /** The error to throw when the work was ended for lack of progress; null when it was not. */
  fault(doing: string, report: FolderReport): DriverError | null {
    if (!this.signal.aborted) return null
    const last = report.lastLine()
    const words = {
      program: `nothing happened for ${inWords(this.#idleMs)}${last && `; its last step: ${last}`}`,
      output: `what it writes was not taken for ${inWords(this.#idleMs)}`,
      input: `what it reads did not arrive for ${inWords(this.#idleMs)}`,
    }[this.#awaited]
    return new DriverError(`could not ${doing}: it was ended, because ${words}`, { permanent: false })
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

function inWords(ms: number): string {
  return ms > 60_000 ? `${Math.round(ms / 60_000)} minutes` : `${ms / 1000} seconds`
}
