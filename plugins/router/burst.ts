/**
 * What is held back until the present round of the event loop has read all that there is to read. Then it follows each other at
 * once, so that the programs that wait for it wake once and not for each: a fifth of what a request costs. With one request at a
 * time, each is written right after it was read.
 */
export class Burst<T> {
  #held: T[] = []
  readonly #release: (each: T) => void

  constructor(release: (each: T) => void) {
    this.#release = release
  }

  /** Has `release` called with it when the round is over. */
  hold(each: T): void {
    if (this.#held.push(each) === 1) setImmediate(this.#over)
  }

  #over = (): void => {
    const held = this.#held
    this.#held = []
    for (const each of held) this.#release(each)
  }
}
