import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addressSet } from '../../../src/http/address.ts'
import { refuseRaw } from '../../../src/http/listener/raw-refusal.ts'
import { hasBody } from '../../../src/http/listener/stall.ts'
import type { Problem } from '../../../src/http/problem.ts'
import type { RouteLimits } from '../contract.ts'
import {
  clientCrowded,
  clientRate,
  crowded,
  instanceRate,
  longBody,
  manyConnections,
} from '../intake/unavailable.ts'
import type { EdgeOptions } from '../settings.ts'
import { Admission, type EvictionReason, type Permit } from './admission.ts'
import { ConnectionLimit } from './connections.ts'
import { type Quota, Quotas } from './quotas.ts'

/** Everything that limits clients and instances, and the answer for each limit. */
export class Limits {
  readonly #admission: Admission
  readonly #quotas: Quotas
  readonly #connections: ConnectionLimit

  constructor({ limits, clock, connectionsPerClient, site }: EdgeOptions) {
    this.#admission = new Admission(limits)
    this.#quotas = new Quotas(limits, clock)
    const proxies = addressSet(site.trustedProxies)
    this.#connections = new ConnectionLimit(connectionsPerClient, address => proxies.has(address))
  }

  /** Requests that have a permit. */
  get size(): number {
    return this.#admission.size
  }

  /** Sets what the plan of a subdomain's instance allows. */
  set(subdomain: string, own: RouteLimits | undefined): void {
    this.#quotas.set(subdomain, own)
  }

  /** A subdomain is no longer routed. */
  forget(subdomain: string): void {
    this.#quotas.forget(subdomain)
  }

  /** The longest body of a request to an instance; infinite for any. */
  bodyBytesOf(subdomain: string): number {
    return this.#quotas.of(subdomain).bodyBytes
  }

  /** Counts a new connection. Refuses it, and returns false, when its client has its most already. */
  takeConnection(socket: Socket, encrypted: boolean): boolean {
    if (this.#connections.admit(socket)) return true
    // No message can be read before TLS.
    if (encrypted) return false
    socket.on('error', () => socket.destroy())
    refuseRaw(socket, manyConnections())
    return false
  }

  /** Admits a request to a subdomain that is routed, or returns why not. `evict` refuses it after all. */
  admit(
    subdomain: string,
    client: string,
    request: IncomingMessage,
    evict: (why: EvictionReason) => void,
  ): Permit | Problem {
    const quota = this.#quotas.of(subdomain)
    const beyond = this.#beyond(quota, client, request)
    if (beyond) return beyond
    const candidate = { client, bodyPending: hasBody(request), evict }
    const permit = this.#admission.enter(subdomain, candidate, quota.requests)
    if (permit === 'client') return clientCrowded()
    return permit === 'instance' ? crowded() : permit
  }

  /** Refuses every request whose body has not arrived. */
  evictPending(): void {
    this.#admission.evictPending()
  }

  #beyond(quota: Quota, client: string, request: IncomingMessage): Problem | undefined {
    const waitOfClient = this.#quotas.waitOfClient(client)
    if (waitOfClient > 0) return clientRate(waitOfClient)
    if (Number(request.headers['content-length'] ?? 0) > quota.bodyBytes) return longBody(quota.bodyBytes)
    const waitOfInstance = this.#quotas.waitOfInstance(quota)
    return waitOfInstance > 0 ? instanceRate(waitOfInstance) : undefined
  }
}
