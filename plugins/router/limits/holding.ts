import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../src/clock.ts'
import { hasBody } from '../../../src/http/listener/stall.ts'

/** How much of a body is in memory at most while its request is held: what Node reads ahead, or what was gathered. */
const bufferedBytes = 64 * 1024
/** The share of all places that one instance may take, so that others can be restarted meanwhile. */
const shareOfOne = 0.9

/** Holds requests while their instance starts: bounded in number, bytes and time, and released in the order of their arrival. */
export class Holding {
  readonly #waiting = new Map<string, Set<AbortController>>()
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #limit: number
  readonly #limitOfOne: number
  readonly #limitBytes: number
  #size = 0
  #bytes = 0

  constructor(options: { clock: Clock; holdMs: number; limit: number; limitBytes: number }) {
    this.#clock = options.clock
    this.#holdMs = options.holdMs
    this.#limit = options.limit
    this.#limitOfOne = Math.ceil(options.limit * shareOfOne)
    this.#limitBytes = options.limitBytes
  }

  get size(): number {
    return this.#size
  }

  /**
   * Calls `resume` when the subdomain is released or `holdMs` have passed, unless the client has gone. Returns false when the
   * held requests are as many, or as large, as they may be.
   */
  hold(
    subdomain: string,
    request: IncomingMessage,
    response: ServerResponse,
    resume: () => void,
    holdMs = this.#holdMs,
  ): boolean {
    const bytes = heldBytes(request)
    const waits = this.#waiting.get(subdomain) ?? new Set()
    if (this.#size >= this.#limit || waits.size >= this.#limitOfOne) return false
    if (this.#bytes + bytes > this.#limitBytes) return false
    this.#size++
    this.#bytes += bytes
    const wait = new AbortController()
    this.#waiting.set(subdomain, waits.add(wait))
    const wake = () => wait.abort()
    response.once('close', wake)
    void this.#clock.sleep(holdMs, wait.signal).then(() => {
      response.off('close', wake)
      waits.delete(wait)
      if (waits.size === 0 && this.#waiting.get(subdomain) === waits) this.#waiting.delete(subdomain)
      this.#size--
      this.#bytes -= bytes
      if (!response.destroyed) resume()
    })
    return true
  }

  release(subdomain: string): void {
    for (const wait of this.#waiting.get(subdomain) ?? []) wait.abort()
  }

  releaseAll(): void {
    for (const subdomain of this.#waiting.keys()) this.release(subdomain)
  }
}

/** What a held request may take of the memory: its head, and the part of its body that is read. */
function heldBytes(request: IncomingMessage): number {
  let bytes = request.url?.length ?? 0
  for (const each of request.rawHeaders) bytes += each.length
  if (!hasBody(request)) return bytes
  const length = Number(request.headers['content-length'] ?? bufferedBytes)
  return bytes + Math.min(length, bufferedBytes)
}
