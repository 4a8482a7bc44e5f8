/** Lets many in at the same time, or one alone. One that waits to be alone goes before those that come later. */
export class Gate {
  #inside = 0
  #alone: Promise<void> = Promise.resolve()
  #left: (() => void) | null = null

  /** Runs `work` beside others. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    for (let seen: Promise<void> | null = null; seen !== this.#alone; ) {
      seen = this.#alone
      await seen
    }
    this.#inside++
    try {
      return await work()
    } finally {
      this.#inside--
      if (this.#inside === 0) this.#left?.()
    }
  }

  /** Runs `work` when all others are done, and lets none in until it is over. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#alone
    const over = Promise.withResolvers<void>()
    this.#alone = before.then(() => over.promise)
    await before
    try {
      if (this.#inside > 0) await new Promise<void>(resolve => (this.#left = resolve))
      this.#left = null
      return await work()
    } finally {
      over.resolve()
    }
  }
}
