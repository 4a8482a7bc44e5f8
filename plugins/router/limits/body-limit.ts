/** Counts the bytes of a request's body as they arrive: a chunked one does not say its length. */
export class BodyLimit {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Returns false when the body is longer than it may be. */
  takes(bytes: number): boolean {
    this.#left -= bytes
    return this.#left >= 0
  }
}
