/** How a request ended, as its client saw it. */
export type End =
  /** Whole. */
  | { how: 'answer'; status: number; type: string; body: string }
  /** A stream of events or a WebSocket that ended in order: with a reason, or as its instance wanted. */
  | { how: 'stream'; messages: string[]; reason: string | null }
  /** The connection ended before the answer did. */
  | { how: 'closed'; headSeen: boolean; reused?: boolean; messages?: string[]; error: string }
  /** Nothing came after an answer that said it was the last on its connection. */
  | { how: 'not taken' }

export interface Story {
  number: number
  kind: string
  subdomain: string
  nonce: string
  size: number
  delayMs: number
  beganAt: number
  endedAt: number
  /** The body that was sent, as a digest. */
  digest: string
  /** The client ended it. */
  aborted: boolean
  /** Ends it from outside. */
  destroy: () => void
  end: End | null
}

/** A time in which something was disturbed. */
interface Disturbance {
  /** `worker`, `refresh`, `control`, or `cut`, `moved` with the subdomain behind a space. */
  what: string
  from: number
  until: number
}

/** What was disturbed when. */
export class Calendar {
  readonly #all: Disturbance[] = []

  async during<T>(what: string, action: () => Promise<T>): Promise<T> {
    const entry = { what, from: performance.now(), until: Number.POSITIVE_INFINITY }
    this.#all.push(entry)
    try {
      return await action()
    } finally {
      // What it did to connections reaches their clients in this process a few turns later.
      for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate)
      entry.until = performance.now()
    }
  }

  has(what: string, { beganAt, endedAt }: Story): boolean {
    return this.#all.some(each => each.what === what && each.from <= endedAt && each.until >= beganAt)
  }

  counts(): Record<string, number> {
    return Object.fromEntries(
      Map.groupBy(this.#all, ({ what }) => what)
        .entries()
        .map(([what, some]) => [what, some.length]),
    )
  }

  near({ beganAt, endedAt }: Story): string[] {
    return this.#all
      .filter(each => each.from <= endedAt + 500 && each.until >= beganAt - 500)
      .map(
        ({ what, from, until }) => `${what} ${Math.round(from - beganAt)}…${Math.round(until - beganAt)} ms`,
      )
  }
}
