import { idle } from '../../../src/http/listener/listener.ts'
import type { Destination } from '../contract.ts'
import { UpstreamPool } from '../upstream/pool.ts'

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
  readonly #lasting = new Set<{ destroy(): unknown }>()

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
   * Points the subdomain to another destination. Long-lived connections are cut; ordinary requests may finish. An
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
    this.cutLasting()
  }

  /** Registers a connection that does not end by itself: a tunnel or an event stream. Returns its unregister function. */
  keep(lasting: { destroy(): unknown }): () => void {
    this.#lasting.add(lasting)
    return () => this.#lasting.delete(lasting)
  }

  cutLasting(): void {
    for (const each of this.#lasting) each.destroy()
    this.#lasting.clear()
  }

  /** Lets requests in progress end, and closes everything else. */
  retire(): void {
    this.#retired = true
    this.cutLasting()
    this.#pool?.retire()
  }

  close(): void {
    this.#retired = true
    this.cutLasting()
    this.#pool?.destroy()
  }
}

function addressOf(destination: Destination): string {
  return destination.state === 'ready' ? `${destination.host} ${destination.port}` : ''
}
