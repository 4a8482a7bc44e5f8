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
  /** Bytes of bodies and tunnels that were counted so far: from the client, and to it. */
  bytesIn = 0
  bytesOut = 0
  /** Once it is over: the status that the client got, or 499 when it was gone before; and whether the answer arrived whole. */
  status = 0
  complete = false

  constructor(edge: EdgeTally, instance: InstanceTally) {
    this.#edge = edge
    this.#instance = instance
    instance.begin()
  }

  get subdomain(): string {
    return this.#instance.subdomain
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
    this.#instance.bytesIn += bytesIn - this.bytesIn
    this.#instance.bytesOut += bytesOut - this.bytesOut
    this.bytesIn = bytesIn
    this.bytesOut = bytesOut
  }

  /** The response is over, or the client is gone. */
  over(response: ServerResponse): void {
    this.countBytes()
    if (this.#tunnel || this.#edge.lasting.size > 0) this.#edge.lasting.delete(this)
    const sentAt = this.upstream?.sentAt ?? 0
    if (sentAt > 0) this.#edge.added(Math.max(0, sentAt - this.#readyAt))
    // A tunnel ends when its connection does; it answered when its head was sent.
    this.status = this.#tunnel ? 101 : response.headersSent ? response.statusCode : 499
    this.complete = this.#tunnel !== null || response.writableFinished
    if (!this.complete) this.#instance.broke()
    else this.#instance.answered(this.status, (this.#headAt || performance.now()) - this.startedAt)
  }

  /**
   * Where the time went until the answer's head, in milliseconds, for `Server-Timing` (W3C): `wait` for the body or the start of
   * the instance, `edge`, and `upstream`. The instance's own header stays beside it.
   */
  serverTiming(): string {
    const sentAt = this.upstream?.sentAt ?? 0
    const part = (name: string, ms: number) => `${name};dur=${Math.max(0, ms).toFixed(2)}`
    const waited = this.#readyAt - this.startedAt
    const wait = waited > 0 ? `${part('wait', waited)}, ` : ''
    return `${wait}${part('edge', sentAt - this.#readyAt)}, ${part('upstream', this.#headAt - sentAt)}`
  }

  /** From sending it to the instance until the head of the answer, in milliseconds; null without an answer. */
  get upstreamMs(): number | null {
    const sentAt = this.upstream?.sentAt ?? 0
    return sentAt > 0 && this.#headAt > 0 ? this.#headAt - sentAt : null
  }
}
