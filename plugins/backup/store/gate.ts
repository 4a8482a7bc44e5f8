import { StoreError } from './store.ts'

/**
 * Lets many in at the same time, or one alone. One that waits to be alone goes before those that come later, but not for longer than
 * `patienceMs`: those who are inside may hang.
 */
export class Gate {
  readonly #patienceMs: number
  #inside = 0
  #alone: Promise<void> = Promise.resolve()
  #left: (() => void) | null = null

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

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

  /** Runs `work` when all others are done, and lets none in until it is over. Throws a StoreError when they take too long. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#alone
    const over = Promise.withResolvers<void>()
    this.#alone = before.then(() => over.promise)
    await before
    try {
      if (this.#inside > 0) await this.#allLeft()
      return await work()
    } finally {
      over.resolve()
    }
  }

  async #allLeft(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const words = `the store was in use for ${Math.ceil(this.#patienceMs / 60_000)} minutes without a pause; nothing was deleted, and the next round tries again`
    const timer = setTimeout(() => reject(new StoreError(words)), this.#patienceMs)
    this.#left = resolve
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#left = null
    }
  }
}
