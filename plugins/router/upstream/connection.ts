import type { Socket } from 'node:net'
import type { Kept } from './blocks.ts'
import type { Inlet } from './inlet.ts'

/** What a connection tells the request that it carries. */
export interface Carried {
  /** The connection is its own from here on. `reused`: it carried another before. */
  begin(connection: Connection, reused: boolean): void
  received(chunk: Buffer): void
  /** More can be written. */
  drained(): void
  /** The instance ended its side. */
  closed(): void
  fail(error: NodeJS.ErrnoException): void
}

interface Owner {
  /** It can carry another request. */
  freed(connection: Connection): void
  gone(connection: Connection): void
}

/** A connection to an instance, which carries one request at a time. */
export class Connection {
  readonly #inlet: Inlet
  readonly #owner: Owner
  #current: Carried | null = null
  #error: NodeJS.ErrnoException | null = null
  #used = false
  /** Set once an answer is whole. */
  #reusable: (() => boolean) | null = null
  /** When it became idle, on the monotonic clock in milliseconds. */
  idleSince = 0

  constructor(inlet: Inlet, owner: Owner) {
    this.#inlet = inlet
    this.#owner = owner
    inlet.take = this.#onData
    inlet.socket
      .on('drain', this.#onDrain)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose)
  }

  get socket(): Socket {
    return this.#inlet.socket
  }

  /** Whether much of the answer is still to come. */
  expect(much: boolean): void {
    this.#inlet.large = much
  }

  /** Keeps a piece of what was received, which is otherwise valid during the call only. */
  keep(chunk: Buffer): Kept {
    return this.#inlet.keep(chunk)
  }

  carry(request: Carried): void {
    this.#current = request
    request.begin(this, this.#used)
    this.#used = true
  }

  /** The answer is whole. `reusable` tells, after the read that ended it, whether the connection is clean. */
  answered(bodySent: boolean, reusable: () => boolean): void {
    this.#current = null
    this.#inlet.large = false
    if (!bodySent || this.socket.writableLength > 0) {
      this.socket.destroy()
      return
    }
    this.#reusable = reusable
  }

  /** Hands the socket over: from here on it is another's. */
  handOver(): Socket {
    this.#current = null
    this.#inlet.detach()
    this.socket
      .off('drain', this.#onDrain)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
    this.#owner.gone(this)
    return this.socket
  }

  destroy(): void {
    this.#current = null
    this.socket.destroy()
  }

  #onData = (chunk: Buffer): void => {
    if (!this.#current) {
      // Nothing was asked: whatever this is, it is no answer.
      this.socket.destroy()
      return
    }
    this.#current.received(chunk)
    if (!this.#reusable) return
    const clean = this.#reusable()
    this.#reusable = null
    if (!clean) this.socket.destroy()
    else if (!this.socket.destroyed) {
      if (this.socket.isPaused()) this.socket.resume()
      this.#owner.freed(this)
    }
  }

  #onDrain = (): void => this.#current?.drained()

  #onEnd = (): void => {
    this.#current?.closed()
    this.socket.destroy()
  }

  #onError = (error: Error): void => {
    this.#error = error
  }

  #onClose = (): void => {
    this.#owner.gone(this)
    const current = this.#current
    this.#current = null
    current?.fail(
      this.#error ?? Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }),
    )
  }
}
