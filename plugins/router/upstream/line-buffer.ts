const nothing = Buffer.alloc(0)

/**
 * Collects bytes until a pattern has arrived, however they are split. Every byte is copied and searched once, so that a peer
 * that sends them one by one costs as little.
 */
export class LineBuffer {
  #held: Buffer = nothing
  #length = 0

  get length(): number {
    return this.#length
  }

  /**
   * Looks for `pattern`, of ASCII, in what is held and in `chunk` from `from` on. Returns the text before its end in latin1, the
   * pattern included, and where the rest of the chunk begins. Null when it is not there yet: then the chunk was kept.
   */
  take(pattern: string, chunk: Buffer, from: number): { text: string; next: number } | null {
    if (this.#length === 0) {
      const at = chunk.indexOf(pattern, from, 'latin1')
      if (at >= 0) {
        const next = at + pattern.length
        return { text: chunk.toString('latin1', from, next), next }
      }
      this.#keep(chunk, from)
      return null
    }
    const before = this.#length
    this.#keep(chunk, from)
    const at = this.#held
      .subarray(0, this.#length)
      .indexOf(pattern, Math.max(0, before - pattern.length + 1), 'latin1')
    if (at < 0) return null
    const end = at + pattern.length
    this.#length = 0
    return { text: this.#held.toString('latin1', 0, end), next: from + end - before }
  }

  #keep(chunk: Buffer, from: number): void {
    const needed = this.#length + chunk.length - from
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2, 512))
      this.#held.copy(grown, 0, 0, this.#length)
      this.#held = grown
    }
    chunk.copy(this.#held, this.#length, from)
    this.#length = needed
  }
}
