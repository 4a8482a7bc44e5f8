/** As much as one read of a large answer takes. Reading and writing in such pieces costs a fifth less than in 64 KiB. */
const blockBytes = 256 * 1024
/** 64 MiB. While that many are used, by large answers to slow clients, the others do without. */
const mostUsed = 256
/** 8 MiB of those that are not used. */
const mostFree = 32
const free: Buffer[] = []
let used = 0

/** Bytes that stay as they are: those in a block until `release` is called, which must be once. */
export interface Kept {
  bytes: Buffer
  release?: () => void
}

/** A buffer in which pieces of an answer are kept without copying them. It is used again when no one needs it. */
export class Block {
  readonly buffer = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
  /** The connection that reads into it, and the pieces that are kept. */
  #users = 1

  private constructor() {
    used++
  }

  /** A block for one connection; null when there is none left. */
  static take(): Block | null {
    return used < mostUsed ? new Block() : null
  }

  /** Whether pieces in it are kept. */
  get isKept(): boolean {
    return this.#users > 1
  }

  keep(bytes: Buffer): Kept {
    this.#users++
    return { bytes, release: () => this.release() }
  }

  release(): void {
    if (--this.#users > 0) return
    used--
    if (free.length < mostFree) free.push(this.buffer)
  }
}
