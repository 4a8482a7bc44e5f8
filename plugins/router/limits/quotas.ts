import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../../src/clock.ts'
import type { RouteLimits } from '../contract.ts'
import type { EdgeLimits } from '../settings.ts'
import { TokenBucket } from './token-bucket.ts'

/** What one instance's requests may take. */
export interface Quota {
  requests: number
  bodyBytes: number
  bucket: TokenBucket | null
}

/** Clients whose rate is remembered; of more than these, those that were away for long enough are forgotten. */
const mostClients = 50_000

/** The limits of rates and bodies, of each instance by its plan, and of each client. */
export class Quotas {
  readonly #settings: EdgeLimits
  readonly #clock: Clock
  readonly #own = new Map<string, RouteLimits>()
  readonly #quotas = new Map<string, Quota>()
  readonly #clients = new Map<string, TokenBucket>()

  constructor(settings: EdgeLimits, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  /** Sets what the plan of a subdomain's instance allows. What it has used of its rate counts on while the limits stay the same. */
  set(subdomain: string, own: RouteLimits | undefined): void {
    if (isDeepStrictEqual(this.#own.get(subdomain), own)) return
    if (own) this.#own.set(subdomain, own)
    else this.#own.delete(subdomain)
    this.#quotas.delete(subdomain)
  }

  /** Only subdomains that are routed may be asked for: each is remembered. */
  of(subdomain: string): Quota {
    let quota = this.#quotas.get(subdomain)
    if (!quota) {
      const own = this.#own.get(subdomain)
      const rate = own?.requestsPerSecond ?? this.#settings.instanceRate
      quota = {
        requests: own?.requests ?? this.#settings.perInstance,
        bodyBytes: own?.bodyBytes ?? (this.#settings.bodyBytes || Number.POSITIVE_INFINITY),
        bucket: rate > 0 ? new TokenBucket(rate, this.#clock.monotonic()) : null,
      }
      this.#quotas.set(subdomain, quota)
    }
    return quota
  }

  /** Forgets a subdomain that is no longer routed. What its plan allows is kept. */
  forget(subdomain: string): void {
    this.#quotas.delete(subdomain)
  }

  /** Counts a request of a client. Returns 0, or the seconds until it may send another. */
  waitOfClient(client: string): number {
    const { clientRate } = this.#settings
    if (clientRate === 0) return 0
    const now = this.#clock.monotonic()
    let bucket = this.#clients.get(client)
    if (!bucket) {
      if (this.#clients.size >= mostClients) this.#forgetClients(now)
      bucket = new TokenBucket(clientRate, now)
      this.#clients.set(client, bucket)
    }
    return bucket.take(now)
  }

  /** Counts a request to an instance. Returns 0, or the seconds until it may get another. */
  waitOfInstance(quota: Quota): number {
    return quota.bucket === null ? 0 : quota.bucket.take(this.#clock.monotonic())
  }

  #forgetClients(now: number): void {
    for (const [client, bucket] of this.#clients) if (bucket.isFull(now)) this.#clients.delete(client)
    // An attack from very many addresses: the oldest half makes room, so that this is done seldom.
    if (this.#clients.size < mostClients) return
    let left = mostClients / 2
    for (const client of this.#clients.keys()) {
      if (left-- === 0) break
      this.#clients.delete(client)
    }
  }
}
