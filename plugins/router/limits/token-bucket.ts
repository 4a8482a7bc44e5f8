/** How much may come at once after a pause: what two seconds allow, and a page with its parts in any case. */
const burstSeconds = 2
const leastBurst = 20

/** Limits a rate on average, and lets bursts pass. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #most: number
  #tokens: number
  #at: number

  /** `now` is in milliseconds on a monotonic clock, here and below. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#most = Math.max(leastBurst, perSecond * burstSeconds)
    this.#tokens = this.#most
    this.#at = now
  }

  /** Takes a token. Returns 0, or the seconds until there is one. */
  take(now: number): number {
    this.#fill(now)
    if (this.#tokens >= 1) {
      this.#tokens--
      return 0
    }
    return (1 - this.#tokens) / this.#perSecond
  }

  /** Whether it is as if it had never been used. */
  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= this.#most
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
  }
}
