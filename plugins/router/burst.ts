import type { Socket } from 'node:net'

/**
 * Writes that are held back until the present round of the event loop has read all that there is to read. Then they follow each
 * other at once, so that the programs that wait for them wake once and not for each: a fifth of what a request costs. With one
 * request at a time, each is written right after it was read.
 */
export class Burst {
  #held: Socket[] = []
  readonly #blocked: ((socket: Socket) => void) | undefined

  /** `blocked` is called with a socket whose peer has not taken everything. */
  constructor(blocked?: (socket: Socket) => void) {
    this.#blocked = blocked
  }

  /** Holds back what is written to the socket from now on, until the round is over. */
  hold(socket: Socket): void {
    socket.cork()
    if (this.#held.push(socket) === 1) setImmediate(this.#release)
  }

  #release = (): void => {
    const held = this.#held
    this.#held = []
    for (const socket of held) {
      socket.uncork()
      if (this.#blocked && socket.writableLength > 0) this.#blocked(socket)
    }
  }
}
