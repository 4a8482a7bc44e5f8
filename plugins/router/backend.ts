import { Agent, type ClientRequest } from 'node:http'
import type { NetConnectOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { idle } from '../../src/http/listener/listener.ts'
import type { Destination } from './contract.ts'
import { openProven } from './proof.ts'

export type Ready = Extract<Destination, { state: 'ready' }>

interface PooledSocket extends Socket {
  /** Bytes read from it before its current request. */
  readBefore?: number
}

export interface PoolOptions {
  /** The most connections to one instance. */
  mostSockets: number
  /** How long an instance may take to identify itself. */
  proofMs: number
}

/** Connections to one instance. Each has proved that it leads there before it carries a request. */
class ProvenConnections extends Agent {
  readonly #instanceId: string
  readonly #proofMs: number

  constructor(instanceId: string, proofMs: number, options: ConstructorParameters<typeof Agent>[0]) {
    super(options)
    this.#instanceId = instanceId
    this.#proofMs = proofMs
  }

  override createConnection(
    options: object,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    openProven(options as NetConnectOpts, this.#instanceId, this.#proofMs, (error, socket) =>
      done?.(error, socket),
    )
  }
}

/** Pools connections to one instance, and closes idle ones before the instance does. */
class ConnectionPool extends ProvenConnections {
  constructor(instanceId: string, { mostSockets, proofMs }: PoolOptions) {
    super(instanceId, proofMs, {
      keepAlive: true,
      maxSockets: mostSockets,
      maxFreeSockets: 128,
      timeout: idle.poolMs,
    })
  }

  override reuseSocket(socket: PooledSocket, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    socket.readBefore = socket.bytesRead
  }

  /** Closes idle connections now, and busy ones when their requests end. */
  retire(): void {
    this.maxFreeSockets = 0
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }
}

/** Whether a reused connection was closed before a byte of the answer to this request arrived. */
export function closedWhileIdle(request: ClientRequest): boolean {
  const socket = request.socket as PooledSocket | null
  return request.reusedSocket && socket !== null && socket.bytesRead === socket.readBefore
}

/** One subdomain's instance: its current address, and the connections to it. */
export class Backend {
  readonly subdomain: string
  readonly #options: PoolOptions
  #destination: Destination
  #pool: ConnectionPool
  #address = ''
  readonly #lasting = new Set<{ destroy(): unknown }>()

  constructor(subdomain: string, destination: Destination, options: PoolOptions) {
    this.subdomain = subdomain
    this.#options = options
    this.#destination = destination
    this.#pool = new ConnectionPool(destination.instanceId, options)
    this.#address = addressOf(destination)
  }

  get destination(): Destination {
    return this.#destination
  }

  get pool(): Agent {
    return this.#pool
  }

  /** An agent for one request, on a connection of its own. */
  single(): Agent {
    return new ProvenConnections(this.#destination.instanceId, this.#options.proofMs, { keepAlive: false })
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
    this.#pool.retire()
    this.#pool = new ConnectionPool(destination.instanceId, this.#options)
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
    this.cutLasting()
    this.#pool.retire()
  }

  close(): void {
    this.cutLasting()
    this.#pool.destroy()
  }
}

function addressOf(destination: Destination): string {
  return destination.state === 'ready' ? `${destination.host} ${destination.port}` : ''
}
