import { connect, type Socket } from 'node:net'
import { Block, type Kept } from './blocks.ts'

/**
 * What every connection is read into. Reading is one synchronous step, so one buffer serves all: a buffer of its own for each read would be
 * most of the garbage that the edge makes.
 */
const common = Buffer.allocUnsafeSlow(64 * 1024)

export interface InletOptions {
  host: string
  port: number
  /** Whether the socket may be handed over to someone who reads it as a stream. */
  handsOver: boolean
}

/** A connection to an instance, and where what it receives goes. */
export class Inlet {
  readonly socket: Socket
  /** Gets what was received. The bytes are valid during the call only: what is needed longer must be kept. */
  take: (chunk: Buffer) => void = () => undefined
  /** Whether an answer arrives whose end is far. Then it is read into a block, in which it can be kept without copying it. */
  large = false
  #block: Block | null = null
  #buffer: Buffer | null = null

  constructor({ host, port, handsOver }: InletOptions) {
    if (handsOver) this.socket = connect({ host, port, noDelay: true }).on('data', this.#onData)
    else {
      const callback = (bytes: number, buffer: Uint8Array) => {
        this.take((buffer as Buffer).subarray(0, bytes))
        return true
      }
      const onread = { buffer: this.#nextBuffer as () => Uint8Array, callback }
      this.socket = connect({ host, port, noDelay: true, onread })
      this.socket.once('close', this.#onClose)
      // Otherwise there is no event when the other side ends the connection.
      this.socket.resume()
    }
  }

  /** Keeps a piece of what `take` got. */
  keep(chunk: Buffer): Kept {
    return this.#block ? this.#block.keep(chunk) : { bytes: Buffer.from(chunk) }
  }

  /** Lets go of a socket that is handed over. */
  detach(): void {
    this.socket.off('data', this.#onData)
  }

  /** Called before the first read and after each. Without an answer, the next read goes where the last one went. */
  #nextBuffer = (): Buffer | undefined => {
    if (this.#block === null ? !this.large && this.#buffer === common : this.large && !this.#block.isKept)
      return undefined
    this.#block?.release()
    this.#block = this.large ? Block.take() : null
    this.#buffer = this.#block?.buffer ?? common
    return this.#buffer
  }

  #onData = (chunk: Buffer): void => this.take(chunk)

  #onClose = (): void => {
    this.#block?.release()
    this.#block = null
  }
}
