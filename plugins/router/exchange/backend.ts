import { idle } from '../../../src/http/listener/listener.ts'
import type { Destination } from '../contract.ts'
import { UpstreamPool } from '../upstream/pool.ts'
import type { Lasting } from './lasting.ts'

export type Ready = Extract<Destination, { state: 'ready' }>

export interface BackendOptions {
  /** The most connections to one instance. */
  mostSockets: number
  /** How long an instance may take to identify itself. */
  proofMs: number
}

/** One subdomain's instance: its current address, and the connections to it. */
export class Backend {
  readonly subdomain: string
  readonly #options: BackendOptions
  #destination: Destination
  #pool: UpstreamPool | null = null
  #address = ''
  #retired = false
  /** Why nothing that lasts may begin any longer; null as long as it may. */
  #draining: string | null = null
  readonly #lasting = new Set<Lasting>()

  constructor(subdomain: string, destination: Destination, options: BackendOptions) {
    this.subdomain = subdomain
    this.#options = options
    this.#destination = destination
    this.#address = addressOf(destination)
  }

  get destination(): Destination {
    return this.#destination
  }

  /** The connections to where the instance is now; null when it is not ready, or another one has its name. */
  poolFor(instanceId: string): UpstreamPool | null {
    const { mostSockets, proofMs } = this.#options
    const destination = this.#destination
    if (this.#retired || destination.state !== 'ready' || destination.instanceId !== instanceId) return null
    this.#pool ??= new UpstreamPool({
      host: destination.host,
      port: destination.port,
      instanceId,
      mostConnections: mostSockets,
      mostIdle: 128,
      idleMs: idle.poolMs,
      proofMs,
    })
    return this.#pool
  }

  /**
   * Points the subdomain to another destination. Long-lived connections are closed; ordinary requests may finish. An
   * instance that is unhealthy keeps its connections: it has not moved, and may be healthy again a moment later.
   */
  pointTo(destination: Destination): void {
    const stays =
      destination.instanceId === this.#destination.instanceId &&
      (destination.state === 'unhealthy' || addressOf(destination) === this.#address)
    this.#destination = destination
    if (stays) return
    this.#address = addressOf(destination)
    this.#pool?.retire()
    this.#pool = null
    this.closeLasting(whyGone(destination))
  }

  /** Registers a connection that does not end by itself. Returns its unregister function. */
  keep(lasting: Lasting): () => void {
    this.#lasting.add(lasting)
    const reason = this.#draining
    if (reason !== null) queueMicrotask(() => lasting.close(reason))
    return () => this.#lasting.delete(lasting)
  }

  /** Closes what does not end by itself, now and from now on. Requests are still passed on. */
  drain(reason: string): void {
    this.#draining = reason
    this.closeLasting(reason)
  }

  /** Lets requests in progress end, and closes everything else. */
  retire(): void {
    this.#retired = true
    this.closeLasting('The instance was removed')
    this.#pool?.retire()
  }

  /** Ends everything at once. */
  close(): void {
    this.#retired = true
    for (const each of this.#lasting) each.destroy()
    this.#pool?.destroy()
  }

  /** Closes what does not end by itself. */
  closeLasting(reason: string): void {
    for (const each of this.#lasting) each.close(reason)
  }
}

/** Why connections end that lead to where the instance was, for their clients. */
function whyGone(destination: Destination): string {
  switch (destination.state) {
    case 'ready':
      return 'The instance has restarted'
    case 'starting':
      return destination.reason ?? 'The instance is restarting'
    default:
      return destination.reason ?? 'The instance is stopping'
  }
}

function addressOf(destination: Destination): string {
  return destination.state === 'ready' ? `${destination.host} ${destination.port}` : ''
}
