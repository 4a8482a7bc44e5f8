import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { UpstreamRequest } from '../upstream/request.ts'
import type { EdgeTally, InstanceTally } from './tally.ts'

/** One admitted request, from its head until its answer has left. Times are in milliseconds on the monotonic clock. */
export class Visit {
  readonly #edge: EdgeTally
  readonly #instance: InstanceTally
  readonly startedAt = performance.now()
  /** Since when only the edge keeps it from its instance: its body is here, and the instance is ready. */
  #readyAt = this.startedAt
  /** When the head of the answer left; 0 before. */
  #headAt = 0
  /** The request to the instance; the last of them, when it was repeated. */
  upstream: UpstreamRequest | null = null
  #tunnel: { socket: Socket; read: number; written: number } | null = null
  #countedIn = 0
  #countedOut = 0

  constructor(edge: EdgeTally, instance: InstanceTally) {
    this.#edge = edge
    this.#instance = instance
    instance.begin()
  }

  /** The client has sent what is needed of the request, or an instance that it waited for is ready. */
  ready(): void {
    this.#readyAt = performance.now()
  }

  /** The head of the instance's answer is passed on. */
  head(): void {
    this.#headAt = performance.now()
  }

  /** Its answer has no end of its own: bytes are counted as they pass. */
  lasts(): void {
    this.#edge.lasting.add(this)
  }

  /** The connection to the instance carries another protocol from here on. */
  switched(socket: Socket): void {
    this.head()
    this.#tunnel = { socket, read: socket.bytesRead, written: socket.bytesWritten }
    this.lasts()
  }

  /** Counts the bytes of bodies and tunnels that have passed since the last call. */
  countBytes(): void {
    const { upstream } = this
    const tunnel = this.#tunnel
    let bytesIn = upstream?.sentBytes ?? 0
    let bytesOut = upstream?.receivedBytes ?? 0
    if (tunnel) {
      bytesIn += tunnel.socket.bytesWritten - tunnel.written
      bytesOut += tunnel.socket.bytesRead - tunnel.read
    }
    this.#instance.bytesIn += bytesIn - this.#countedIn
    this.#instance.bytesOut += bytesOut - this.#countedOut
    this.#countedIn = bytesIn
    this.#countedOut = bytesOut
  }

  /** The response is over, or the client is gone. */
  over(response: ServerResponse): void {
    this.countBytes()
    if (this.#tunnel || this.#edge.lasting.size > 0) this.#edge.lasting.delete(this)
    const sentAt = this.upstream?.sentAt ?? 0
    if (sentAt > 0) this.#edge.added(Math.max(0, sentAt - this.#readyAt))
    // A tunnel ends when its connection does; it answered when its head was sent.
    const status = this.#tunnel ? 101 : response.statusCode
    if (!this.#tunnel && !(response.headersSent && response.writableFinished)) this.#instance.broke()
    else this.#instance.answered(status, (this.#headAt || performance.now()) - this.startedAt)
  }
}
