import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../src/clock.ts'

/** Holds requests while their instance starts. */
export class Holding {
  readonly #waiting = new Map<string, Set<AbortController>>()
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #limit: number
  #size = 0

  constructor(options: { clock: Clock; holdMs: number; limit: number }) {
    this.#clock = options.clock
    this.#holdMs = options.holdMs
    this.#limit = options.limit
  }

  get size(): number {
    return this.#size
  }

  /**
   * Calls `resume` when the subdomain is released or the hold time ends, unless the client has gone. Returns false when the
   * limit of held requests is reached.
   */
  hold(subdomain: string, response: ServerResponse, resume: () => void): boolean {
    if (this.#size >= this.#limit) return false
    this.#size++
    const wait = new AbortController()
    const waits = this.#waiting.get(subdomain) ?? new Set()
    this.#waiting.set(subdomain, waits.add(wait))
    const wake = () => wait.abort()
    response.once('close', wake)
    void this.#clock.sleep(this.#holdMs, wait.signal).then(() => {
      response.off('close', wake)
      waits.delete(wait)
      if (waits.size === 0 && this.#waiting.get(subdomain) === waits) this.#waiting.delete(subdomain)
      this.#size--
      if (!response.destroyed) resume()
    })
    return true
  }

  release(subdomain: string): void {
    for (const wait of this.#waiting.get(subdomain) ?? []) wait.abort()
  }

  releaseAll(): void {
    for (const subdomain of this.#waiting.keys()) this.release(subdomain)
  }
}
