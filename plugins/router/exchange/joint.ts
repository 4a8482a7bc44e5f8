import type { Socket } from 'node:net'
import { closeFrame, FrameTracker } from './frames.ts'
import { closingMs, type Lasting } from './lasting.ts'

/** Two connections that are joined. Either end may close its half; an error on one closes both. */
export class Joint implements Lasting {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #flows: readonly [Flow, Flow]
  readonly #webSocket: boolean

  /** `gone` is called once, when the first of the two is closed. */
  constructor(client: Socket, upstream: Socket, webSocket: boolean, gone: () => void) {
    this.#client = client
    this.#upstream = upstream
    this.#webSocket = webSocket
    const settle = () => this.#settle()
    this.#flows = [
      new Flow(upstream, client, webSocket, false, settle),
      new Flow(client, upstream, webSocket, true, settle),
    ]
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.setTimeout(0)
      one.setNoDelay(true)
      // Detects a peer that is gone without having closed the connection.
      one.setKeepAlive(true, 60_000)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        gone()
        if (!one.readableEnded) other.destroy()
        else other.destroySoon()
      })
    }
  }

  /** What was read from the client's or the instance's connection before they were joined. */
  begin(fromClient: Buffer, fromInstance: Buffer): void {
    const [down, up] = this.#flows
    down.begin(fromInstance)
    up.begin(fromClient)
  }

  /** Sends both ends of a WebSocket a close frame between two frames. Of other protocols nothing is known: they are cut. */
  close(reason: string): void {
    if (!this.#webSocket) {
      this.destroy()
      return
    }
    for (const flow of this.#flows) flow.close(reason)
    const timer = setTimeout(() => this.destroy(), closingMs)
    this.#client.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }

  /** A peer that was sent its last frame, and has sent its own, expects the connection to end. */
  #settle(): void {
    const [down, up] = this.#flows
    if (down.over && up.said) this.#client.end()
    if (up.over && down.said) this.#upstream.end()
  }
}

/** One direction of a joint. */
class Flow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #frames: FrameTracker | null
  readonly #masked: boolean
  readonly #settle: () => void
  /** Why it is being closed. */
  #reason: string | null = null
  #over = false

  constructor(from: Socket, to: Socket, webSocket: boolean, masked: boolean, settle: () => void) {
    this.#from = from
    this.#to = to
    this.#frames = webSocket ? new FrameTracker() : null
    this.#masked = masked
    this.#settle = settle
  }

  /** Whether the last frame was passed on: what comes after it goes nowhere. */
  get over(): boolean {
    return this.#over
  }

  /** Whether the peer that it comes from has sent its close frame. */
  get said(): boolean {
    return this.#frames?.closed === true && this.#frames.between
  }

  begin(first: Buffer): void {
    if (first.length > 0) this.#onData(first)
    this.#from.on('data', this.#onData)
    this.#from.on('end', () => this.#to.end())
    this.#to.on('drain', () => this.#from.resume())
  }

  close(reason: string): void {
    this.#reason ??= reason
    this.#endBetweenFrames()
  }

  #onData = (chunk: Buffer): void => {
    if (this.#over) {
      this.#frames?.follow(chunk)
      this.#settle()
      return
    }
    const followed = this.#frames?.follow(chunk, this.#reason !== null) ?? chunk.length
    if (!this.#to.write(followed === chunk.length ? chunk : chunk.subarray(0, followed))) this.#from.pause()
    if (this.#reason === null) return
    this.#endBetweenFrames()
    if (followed < chunk.length) this.#onData(chunk.subarray(followed))
  }

  #endBetweenFrames(): void {
    if (this.#over || this.#reason === null || !this.#frames?.between) return
    this.#over = true
    if (!this.#frames.closed && this.#to.writable) this.#to.write(closeFrame(this.#reason, this.#masked))
    // Its reply must be read, however slowly the other side takes what came before.
    this.#from.resume()
    this.#settle()
  }
}
