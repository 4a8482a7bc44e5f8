import { connect, type Socket } from 'node:net'

/**
 * What every connection is read into. Reading is one synchronous step, so one buffer serves all: a buffer of its own for each read would be
 * most of the garbage that the edge makes.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024)

export interface InletOptions {
  host: string
  port: number
  /** Whether the socket may be handed over to someone who reads it as a stream. */
  handsOver: boolean
}

/** A connection to an instance, and where what it receives goes. */
export class Inlet {
  readonly socket: Socket
  /** Gets what was received. The bytes are valid during the call only: what is kept must be copied. */
  take: (chunk: Buffer) => void = () => undefined

  constructor({ host, port, handsOver }: InletOptions) {
    if (handsOver) this.socket = connect({ host, port, noDelay: true }).on('data', this.#onData)
    else {
      const callback = (bytes: number) => {
        this.take(shared.subarray(0, bytes))
        return true
      }
      this.socket = connect({ host, port, noDelay: true, onread: { buffer: shared, callback } })
      // Otherwise there is no event when the other side ends the connection.
      this.socket.resume()
    }
  }

  /** Lets go of a socket that is handed over. */
  detach(): void {
    this.socket.off('data', this.#onData)
  }

  #onData = (chunk: Buffer): void => this.take(chunk)
}
